//! A token bucket for each client address, in a table of bounded size.

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{error::ApiError, options::RateLimit};

/// Buckets in a generation. Two generations are kept: about a megabyte, however many clients there are.
const MAX_BUCKETS: usize = 8192;

pub(crate) struct Limiter {
    limit: RateLimit,
    table: Mutex<Table>,
}

/// Buckets in two generations. A full generation becomes the older one and the one before it is forgotten, so what goes first
/// is what was not used for longest, and no call ever looks through the table.
#[derive(Default)]
struct Table {
    newer: HashMap<IpAddr, Bucket>,
    older: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, table: Mutex::default() }
    }

    /// Takes a token of this client, or says when to come back.
    pub(crate) fn admit(&self, client: IpAddr, now: Instant) -> Result<(), ApiError> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = table.take(client).map_or_else(|| self.burst(), |bucket| self.refilled(bucket, now));
        let left = if tokens < 1.0 { tokens } else { tokens - 1.0 };
        table.put(client, Bucket { tokens: left, filled_at: now });
        if tokens < 1.0 { Err(ApiError::rate_limited(self.wait(tokens).as_secs())) } else { Ok(()) }
    }

    fn burst(&self) -> f64 {
        f64::from(self.limit.burst)
    }

    fn refilled(&self, bucket: Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        (bucket.tokens + elapsed * f64::from(self.limit.per_second)).min(self.burst())
    }

    /// Time to the next token, in whole seconds and at least one.
    fn wait(&self, tokens: f64) -> Duration {
        let seconds = (1.0 - tokens) / f64::from(self.limit.per_second.max(1));
        Duration::try_from_secs_f64(seconds.ceil().max(1.0)).unwrap_or(Duration::from_secs(1))
    }
}

impl Table {
    fn take(&mut self, client: IpAddr) -> Option<Bucket> {
        self.newer.get(&client).copied().or_else(|| self.older.remove(&client))
    }

    fn put(&mut self, client: IpAddr, bucket: Bucket) {
        if self.newer.len() >= MAX_BUCKETS && !self.newer.contains_key(&client) {
            self.older = mem::take(&mut self.newer);
        }
        self.newer.insert(client, bucket);
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

    #[test]
    fn many_clients_do_not_grow_the_table_and_do_not_refill_who_keeps_asking() {
        let limiter = Limiter::new(RateLimit { per_second: 0, burst: 1 });
        let (start, insistent) = (Instant::now(), IpAddr::from([192, 0, 2, 1]));
        assert!(limiter.admit(insistent, start).is_ok());
        for number in 0..100_000_u32 {
            assert!(limiter.admit(IpAddr::from(u128::from(number).to_be_bytes()), start).is_ok());
            if number % 5000 == 0 {
                assert!(limiter.admit(insistent, start).is_err(), "{number}");
            }
        }
        let table = limiter.table.lock().unwrap();
        assert!(table.newer.len() <= MAX_BUCKETS && table.older.len() <= MAX_BUCKETS);
    }
}
