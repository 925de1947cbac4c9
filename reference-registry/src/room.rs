//! Memory for what is larger than usual: bodies that come, texts that are written, and answers that wait until somebody reads them.
//!
//! Whoever needs some claims it as it grows, and gives it back when it is gone. Nobody waits for it: what finds no room is refused with
//! 503. One client has half of it at most, so that one who reads nothing leaves the others something.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use crate::{app::Shared, client::Client, error::ApiError};

/// What a connection may have without a claim, in bytes.
pub(crate) const USUAL: usize = 16 * 1024;

/// Claims are multiples of this many bytes.
const STEP: usize = 64 * 1024;

/// So many bytes, and who has them.
pub(crate) struct Room {
    bytes: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { bytes, taken: Mutex::default() })
    }

    /// A claim of nothing yet.
    pub(crate) fn claim(self: &Arc<Self>, client: Client) -> Claim {
        Claim { room: Arc::clone(self), client: client.bucket(), bytes: 0 }
    }

    fn take(&self, client: IpAddr, bytes: usize) -> Result<(), ApiError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = taken.by_client.get(&client).copied().unwrap_or_default().saturating_add(bytes);
        let all = taken.all.saturating_add(bytes);
        if all > self.bytes || of_client > self.bytes / 2 {
            return Err(ApiError::no_room());
        }
        taken.all = all;
        taken.by_client.insert(client, of_client);
        Ok(())
    }

    fn give_back(&self, client: IpAddr, bytes: usize) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(bytes);
        let left = taken.by_client.get(&client).copied().unwrap_or_default().saturating_sub(bytes);
        match left {
            0 => taken.by_client.remove(&client),
            left => taken.by_client.insert(client, left),
        };
    }
}

/// Bytes that somebody has until this is dropped.
pub(crate) struct Claim {
    room: Arc<Room>,
    client: IpAddr,
    bytes: usize,
}

impl Claim {
    /// Sees to it that so many bytes in all are claimed, beyond what is usual.
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), ApiError> {
        if bytes <= self.bytes.max(USUAL) {
            return Ok(());
        }
        let more = bytes.next_multiple_of(STEP).saturating_sub(self.bytes);
        self.room.take(self.client, more)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.room.give_back(self.client, self.bytes);
        }
    }
}

/// The bytes of an answer, and the claim on the memory in which they are.
struct Kept {
    bytes: Bytes,
    _claim: Claim,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Answers keep their room until the last byte has been handed to the system.
pub(crate) async fn keeps(
    State(app): State<Shared>,
    client: Client,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let answer = next.run(request).await;
    let size = answer.body().size_hint().lower();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size <= USUAL {
        return Ok(answer);
    }
    let mut claim = app.room.claim(client);
    claim.cover(size)?;
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|_| ApiError::server_error())?;
    Ok(Response::from_parts(parts, Body::from(Bytes::from_owner(Kept { bytes, _claim: claim }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Client {
        Client { address: IpAddr::from([192, 0, 2, last]), is_local: false }
    }

    #[test]
    fn one_client_has_half_and_all_together_no_more_than_there_is() {
        let room = Room::new(64 * USUAL);
        let claimed = |last, bytes| {
            let mut claim = room.claim(client(last));
            claim.cover(bytes).map(|()| claim)
        };
        let half = claimed(1, 32 * USUAL).unwrap();
        assert!(claimed(1, 2 * USUAL).is_err(), "more than half");
        let other = claimed(2, 32 * USUAL).unwrap();
        assert!(claimed(3, 2 * USUAL).is_err(), "more than there is");
        assert!(claimed(3, USUAL).is_ok(), "what is usual needs no room");
        drop(other);
        assert!(claimed(3, 2 * USUAL).is_ok());
        drop(half);
        let taken = room.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_client.len()), (0, 0), "all is given back");
    }

    #[test]
    fn what_is_a_little_larger_than_usual_takes_little() {
        let room = Room::new(192 << 20);
        let claimed = |_| {
            let mut claim = room.claim(client(1));
            claim.cover(USUAL + 1).map(|()| claim)
        };
        let all: Result<Vec<Claim>, ApiError> = (0..1000).map(claimed).collect();
        assert!(all.is_ok());
    }

    #[test]
    fn a_claim_grows_and_a_refused_one_keeps_what_it_has() {
        let room = Room::new(64 * USUAL);
        let mut claim = room.claim(client(1));
        claim.cover(3 * USUAL).unwrap();
        claim.cover(20 * USUAL).unwrap();
        assert!(claim.cover(40 * USUAL).is_err());
        assert!(room.taken.lock().unwrap().all >= 20 * USUAL);
        drop(claim);
        assert_eq!(room.taken.lock().unwrap().all, 0);
    }
}
