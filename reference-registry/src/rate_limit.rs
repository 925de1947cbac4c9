//! A token bucket for each client address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{error::ApiError, options::RateLimit};

/// Buckets kept before the full ones are forgotten: a bound on memory, not on clients.
const MAX_BUCKETS: usize = 10_000;

pub(crate) struct Limiter {
    limit: RateLimit,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes a token of this client, or says when to come back.
    pub(crate) fn admit(&self, client: IpAddr, now: Instant) -> Result<(), ApiError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| self.refilled(bucket, now) < self.burst());
        }
        let bucket = buckets.entry(client).or_insert_with(|| Bucket { tokens: self.burst(), filled_at: now });
        bucket.tokens = self.refilled(bucket, now);
        bucket.filled_at = now;
        if bucket.tokens < 1.0 {
            return Err(ApiError::rate_limited(self.wait(bucket.tokens).as_secs()));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn burst(&self) -> f64 {
        f64::from(self.limit.burst)
    }

    fn refilled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        (bucket.tokens + elapsed * f64::from(self.limit.per_second)).min(self.burst())
    }

    /// Time to the next token, in whole seconds and at least one.
    fn wait(&self, tokens: f64) -> Duration {
        let seconds = (1.0 - tokens) / f64::from(self.limit.per_second.max(1));
        Duration::try_from_secs_f64(seconds.ceil().max(1.0)).unwrap_or(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_let_through_and_then_refilled_for_each_client_alone() {
        let limiter = Limiter::new(RateLimit { per_second: 2, burst: 3 });
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let start = Instant::now();
        let admitted = |client, at| limiter.admit(client, at).is_ok();
        assert_eq!([(); 4].map(|()| admitted(one, start)), [true, true, true, false]);
        assert!(admitted(other, start));
        assert!(admitted(one, start + Duration::from_millis(600)));
        assert!(!admitted(one, start + Duration::from_millis(600)));
    }
}
