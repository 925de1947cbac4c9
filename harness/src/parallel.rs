//! Items verified on several threads and handed back in the order in which they were read, in bounded memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// How many items are on their way for each thread: read, being worked on, or waiting for an earlier one.
const ON_THEIR_WAY: usize = 32;

/// Runs `read` here, what `worker` makes on each of `threads` threads, and `take` on what comes out, in order.
///
/// `read` is given a function that hands in one item; it waits while too many are on their way. When `take` breaks, it is
/// given nothing more, and handing in breaks soon after.
pub fn in_order<I: Send, O: Send, W: FnMut(I) -> O>(
    threads: usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    worker: impl Fn() -> W + Sync,
    take: impl FnMut(O) -> ControlFlow<()> + Send,
) {
    let threads = threads.max(1);
    let (permits_in, permits_out) = sync_channel::<()>(threads * ON_THEIR_WAY);
    let (items_in, items_out) = channel::<(usize, I)>();
    let (results_in, results_out) = channel::<(usize, O)>();
    let items_out = Mutex::new(items_out);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let results_in = results_in.clone();
            scope.spawn(|| work_through(&items_out, results_in, worker()));
        }
        drop(results_in);
        scope.spawn(move || hand_out(results_out, permits_out, take));
        hand_in(read, permits_in, items_in);
    });
}

fn hand_in<I>(
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    permits: SyncSender<()>,
    items: Sender<(usize, I)>,
) {
    let mut number = 0;
    read(&mut |item| {
        // An error means that the other side is gone: it wants no more, or a panic is on its way up.
        if permits.send(()).is_ok() && items.send((number, item)).is_ok() {
            number += 1;
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(())
    });
}

fn work_through<I, O>(
    items: &Mutex<Receiver<(usize, I)>>,
    results: Sender<(usize, O)>,
    mut work: impl FnMut(I) -> O,
) {
    loop {
        let next = match items.lock() {
            Ok(items) => items.recv(),
            Err(_) => return,
        };
        let Ok((number, item)) = next else { return };
        if results.send((number, work(item))).is_err() {
            return;
        }
    }
}

/// Both receivers are dropped at the end, which is how the other threads learn of it.
#[expect(clippy::needless_pass_by_value, reason = "dropping the receivers ends the senders")]
fn hand_out<O>(
    results: Receiver<(usize, O)>,
    permits: Receiver<()>,
    mut take: impl FnMut(O) -> ControlFlow<()>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, result) in results {
        waiting.insert(number, result);
        while let Some(result) = waiting.remove(&next) {
            if take(result).is_break() {
                return;
            }
            next += 1;
            let _ = permits.recv();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let mut taken = Vec::new();
        in_order(
            4,
            |hand_in| {
                let _ = (0..1_000_u32).try_for_each(hand_in);
            },
            || {
                |item| {
                    if item % 7 == 0 {
                        std::thread::yield_now();
                    }
                    item * 2
                }
            },
            |result| {
                taken.push(result);
                ControlFlow::Continue(())
            },
        );
        assert_eq!(taken, (0..1_000).map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_to_do_ends_at_once() {
        in_order(3, |_| {}, || |item: u8| item, |_| ControlFlow::Continue(()));
    }

    #[test]
    fn nothing_is_taken_after_the_last_that_was_wanted_and_reading_ends() {
        let (mut read, mut taken) = (0, Vec::new());
        in_order(
            2,
            |hand_in| {
                let _ = (0..1_000_000_u32).try_for_each(|item| {
                    read += 1;
                    hand_in(item)
                });
            },
            || |item| item,
            |result| {
                taken.push(result);
                if result == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(taken, (0..=5).collect::<Vec<_>>());
        assert!(read < 1_000, "{read} items were read for 6 that were wanted");
    }
}
