//! Connections: how many there may be, and how long each may take.
//!
//! A connection that has sent nothing yet costs a socket and a small task, and nothing else. When all places are taken, the one
//! that has been idle longest makes way, so that many idle clients cannot keep out one that has something to ask.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tower_service::Service;

/// Most connections that are open at the same moment, where the process may have so many files.
const MAX_CONNECTIONS: u64 = 8192;

/// Files that are not connections: the database, its readers, standard streams.
const OTHER_FILES: u64 = 128;

/// How long the header of a request may take to come, and how long a new connection may say nothing.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may be idle between requests, and how long a client may take to read an answer.
const IDLE_PATIENCE: Duration = Duration::from_secs(60);

/// Largest header of a request; what is read of a body at once is no larger either.
const MAX_HEADER: usize = 64 * 1024;

/// How long to wait when the system has no socket left.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves connections until `stopped` changes or its sender is gone, and then lets requests under way finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<()>) {
    let table = Arc::new(Table::new(places()));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        drop(stream.set_nodelay(true));
        if let Some(seat) = Seat::take(&table) {
            tasks.spawn(connection(stream, peer, router.clone(), seat, stopped.clone()));
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// As many as the limits of the process allow.
fn places() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let places = files.unwrap_or(1024).saturating_sub(OTHER_FILES).clamp(16, MAX_CONNECTIONS);
    usize::try_from(places).unwrap_or(usize::MAX)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    seat: Seat,
    mut stopped: watch::Receiver<()>,
) {
    let something = tokio::select! {
        found = timeout(HEADER_PATIENCE, stream.readable()) => matches!(found, Ok(Ok(()))),
        () = seat.0.must_go.notified() => false,
        _ = stopped.changed() => false,
    };
    if something {
        // In a box of its own, so that connections which never say anything stay small.
        Box::pin(requests(stream, peer, router, seat, stopped)).await;
    }
}

async fn requests(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    seat: Seat,
    mut stopped: watch::Receiver<()>,
) {
    let (place, of_requests) = (&seat.0, Arc::clone(&seat.0));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (answer, place) = (router.clone().call(request), Arc::clone(&of_requests));
        place.is_busy();
        async move {
            let answer = answer.await;
            place.is_idle();
            answer
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE).max_buf_size(MAX_HEADER);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            _ = served.as_mut() => return,
            () = place.must_go.notified() => return,
            () = sleep(IDLE_PATIENCE / 4) => if place.idle_for() > IDLE_PATIENCE { return },
            _ = stopped.changed(), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The connections that are open.
struct Table {
    places: usize,
    open: Mutex<(u64, BTreeMap<u64, Arc<Place>>)>,
    start: Instant,
}

impl Table {
    fn new(places: usize) -> Self {
        Self { places, open: Mutex::default(), start: Instant::now() }
    }
}

/// One connection: since when it is idle, in milliseconds; `BUSY` while a request is worked on.
struct Place {
    idle_since: AtomicU64,
    start: Instant,
    must_go: Notify,
}

const BUSY: u64 = u64::MAX;

impl Place {
    fn is_busy(&self) {
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    fn is_idle(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
    }

    fn idle_for(&self) -> Duration {
        match self.idle_since.load(Ordering::Relaxed) {
            BUSY => Duration::ZERO,
            since => Duration::from_millis(self.now().saturating_sub(since)),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(BUSY - 1)
    }
}

/// A place that is given back when the connection ends.
struct Seat(Arc<Place>, u64, Arc<Table>);

impl Seat {
    /// A place, if need be that of the connection which has been idle longest; `None` if all are busy.
    fn take(table: &Arc<Table>) -> Option<Self> {
        let mut open = table.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, places) = &mut *open;
        if places.len() >= table.places {
            let since = |place: &Arc<Place>| place.idle_since.load(Ordering::Relaxed);
            let (oldest, place) = places.iter().min_by_key(|(_, place)| since(place))?;
            if since(place) == BUSY {
                return None;
            }
            place.must_go.notify_one();
            let oldest = *oldest;
            places.remove(&oldest);
        }
        *next += 1;
        let place =
            Arc::new(Place { idle_since: AtomicU64::new(0), start: table.start, must_go: Notify::new() });
        place.is_idle();
        places.insert(*next, Arc::clone(&place));
        Some(Self(place, *next, Arc::clone(table)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.2.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.1.remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_makes_way_and_the_busy_stay() {
        let table = Arc::new(Table::new(2));
        let (first, second) = (Seat::take(&table).unwrap(), Seat::take(&table).unwrap());
        first.0.is_busy();
        let third = Seat::take(&table).unwrap();
        assert!(timeout(PAUSE, second.0.must_go.notified()).await.is_ok());
        assert!(timeout(PAUSE, first.0.must_go.notified()).await.is_err());
        third.0.is_busy();
        assert!(Seat::take(&table).is_none());
        drop(first);
        assert!(Seat::take(&table).is_some());
    }
}
