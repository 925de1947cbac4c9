//! Items worked on by several threads and handed back in the order in which they were read, in bounded memory.
//!
//! ```text
//! read --> queue --> worker, several items at once --> in order --> take
//!    '----- waits while too much is on its way -------------'
//! ```
//!
//! A worker takes its share of what waits at that moment: much where items come fast, which is when working on several
//! together pays, and one where they trickle, which then does not wait for others.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// How many items a worker is given at once at most.
const TOGETHER: usize = 1_024;
/// How many items are on their way for each thread at most, beside as many as it is given at once: waiting, being worked
/// on, or done before an earlier one.
const ON_THEIR_WAY: usize = 32;
/// How much they may weigh together, but for the last of them.
const HEAVIEST: usize = 16 << 20;

/// An item with its place and its weight.
struct Placed<T> {
    place: usize,
    weight: usize,
    thing: T,
}

/// Runs `read` here, what `worker` makes on each of `threads` threads, and `take` on what comes out, in order. Where the system
/// gives fewer threads, it works with those, or here.
///
/// `read` is given a function that hands in one item; it waits while too many are on their way. When `take` breaks, it is
/// given nothing more, and handing in breaks soon after.
pub fn in_order<I: Send, O: Send, W: FnMut(I) -> O>(
    threads: usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    worker: impl Fn() -> W + Sync,
    take: impl FnMut(O) -> ControlFlow<()> + Send,
) {
    let worker = || {
        let mut worker = worker();
        move |items: Vec<I>| items.into_iter().map(&mut worker).collect()
    };
    run(&Queue::new(threads, 1), |_| 0, read, worker, take, Builder::new);
}

/// As [`in_order`], but that a worker is given one item or more, in order, and answers with as many, and that those on
/// their way have a greatest `weight` (bytes) too.
pub fn in_order_together<I: Send, O: Send, W: FnMut(Vec<I>) -> Vec<O>>(
    threads: usize,
    weight: impl Fn(&I) -> usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    worker: impl Fn() -> W + Sync,
    take: impl FnMut(O) -> ControlFlow<()> + Send,
) {
    run(&Queue::new(threads, TOGETHER), weight, read, worker, take, Builder::new);
}

fn run<I: Send, O: Send, W: FnMut(Vec<I>) -> Vec<O>>(
    queue: &Queue<I>,
    weight: impl Fn(&I) -> usize,
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    worker: impl Fn() -> W + Sync,
    take: impl FnMut(O) -> ControlFlow<()> + Send,
    thread: impl Fn() -> Builder,
) {
    let (results_in, results_out) = channel();
    let take = Mutex::new(take);
    let (worker, locked) = (&worker, &take);
    std::thread::scope(|scope| {
        let _end = End(queue);
        let start = |_: &usize| {
            let results_in = results_in.clone();
            thread().spawn_scoped(scope, move || work_through(queue, results_in, worker())).is_ok()
        };
        let workers = (0..queue.threads).take_while(start).count();
        drop(results_in);
        let hand_out = move || hand_out(queue, results_out, &mut *lock(locked));
        if workers == 0 || thread().spawn_scoped(scope, hand_out).is_err() {
            return alone(read, worker(), &mut *lock(locked));
        }
        read(&mut |item| {
            let weight = weight(&item);
            queue.push(item, weight)
        });
    });
}

/// All of it on this thread, one item after the other.
fn alone<I, O>(
    read: impl FnOnce(&mut dyn FnMut(I) -> ControlFlow<()>),
    mut work: impl FnMut(Vec<I>) -> Vec<O>,
    mut take: impl FnMut(O) -> ControlFlow<()>,
) {
    read(&mut |item| work(vec![item]).into_iter().try_for_each(&mut take));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What waits for a worker, and how much is on its way.
struct Queue<I> {
    threads: usize,
    /// How many items a worker is given at once at most.
    together: usize,
    state: Mutex<State<I>>,
    changed: Condvar,
}

struct State<I> {
    waiting: VecDeque<Placed<I>>,
    read: usize,
    on_their_way: usize,
    weight: usize,
    /// Nothing more comes.
    ended: bool,
    /// Nothing more is wanted.
    stopped: bool,
}

impl<I> Queue<I> {
    fn new(threads: usize, together: usize) -> Self {
        let waiting = VecDeque::new();
        let state = State { waiting, read: 0, on_their_way: 0, weight: 0, ended: false, stopped: false };
        Self { threads: threads.max(1), together, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Changes the state, and wakes whoever waits for that. No thread panics while it holds the lock.
    fn change<T>(&self, change: impl FnOnce(&mut State<I>) -> T) -> T {
        let changed = change(&mut lock(&self.state));
        self.changed.notify_all();
        changed
    }

    fn wait_while(&self, condition: impl Fn(&State<I>) -> bool) -> MutexGuard<'_, State<I>> {
        let state = lock(&self.state);
        self.changed.wait_while(state, |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item to the others, and waits while too much is on its way: the next one, which may be as heavy as any, is not
    /// even read before.
    fn push(&self, thing: I, weight: usize) -> ControlFlow<()> {
        self.change(|state| {
            state.waiting.push_back(Placed { place: state.read, weight, thing });
            state.read += 1;
            state.on_their_way += 1;
            state.weight = state.weight.saturating_add(weight);
        });
        let most = self.threads.saturating_mul(2 * self.together + ON_THEIR_WAY);
        let full = |state: &State<I>| state.on_their_way >= most || state.weight >= HEAVIEST;
        let stopped = self.wait_while(|state| full(state) && !state.stopped).stopped;
        if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A worker's share of what waits; nothing when there will be nothing more.
    fn share(&self) -> Vec<Placed<I>> {
        let mut state = self.wait_while(|state| state.waiting.is_empty() && !state.ended && !state.stopped);
        if state.stopped {
            return Vec::new();
        }
        let share = state.waiting.len().div_ceil(self.threads).min(self.together);
        state.waiting.drain(..share).collect()
    }

    fn arrived(&self, weight: usize) {
        self.change(|state| {
            state.on_their_way -= 1;
            state.weight = state.weight.saturating_sub(weight);
        });
    }
}

/// At its end nothing more comes, in a panic too: the workers end.
struct End<'q, I>(&'q Queue<I>);

impl<I> Drop for End<'_, I> {
    fn drop(&mut self) {
        self.0.change(|state| state.ended = true);
    }
}

/// A worker that panics leaves a gap that nothing can come after: everybody ends.
struct StopInPanic<'q, I>(&'q Queue<I>);

impl<I> Drop for StopInPanic<'_, I> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.change(|state| state.stopped = true);
        }
    }
}

/// At its end nothing more is wanted: whoever reads ends.
struct Stop<'q, I>(&'q Queue<I>);

impl<I> Drop for Stop<'_, I> {
    fn drop(&mut self) {
        self.0.change(|state| state.stopped = true);
    }
}

fn work_through<I, O>(queue: &Queue<I>, results: Sender<Placed<O>>, mut work: impl FnMut(Vec<I>) -> Vec<O>) {
    let _stop = StopInPanic(queue);
    loop {
        let share = queue.share();
        if share.is_empty() {
            return;
        }
        let places: Vec<(usize, usize)> = share.iter().map(|item| (item.place, item.weight)).collect();
        let done = work(share.into_iter().map(|item| item.thing).collect());
        for ((place, weight), thing) in places.into_iter().zip(done) {
            if results.send(Placed { place, weight, thing }).is_err() {
                return;
            }
        }
    }
}

fn hand_out<I, O>(
    queue: &Queue<I>,
    results: Receiver<Placed<O>>,
    mut take: impl FnMut(O) -> ControlFlow<()>,
) {
    let _stop = Stop(queue);
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for result in results {
        waiting.insert(result.place, result);
        while let Some(result) = waiting.remove(&next) {
            if take(result.thing).is_break() {
                return;
            }
            next += 1;
            queue.arrived(result.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(items: Vec<u32>) -> Vec<u32> {
        if items.len().is_multiple_of(7) {
            std::thread::yield_now();
        }
        items.into_iter().map(|item| item * 2).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for threads in [1, 4] {
            let mut taken = Vec::new();
            in_order_together(
                threads,
                |_| 1,
                |hand_in| {
                    let _ = (0..20_000_u32).try_for_each(hand_in);
                },
                || doubled,
                |result| {
                    taken.push(result);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(taken, (0..20_000).map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    /// With three workers, the first to the third thread, and one that takes, the fourth; one of them is refused.
    fn doubled_without(refused: usize) -> Vec<u32> {
        let (asked, mut taken) = (std::cell::Cell::new(0), Vec::new());
        let thread = || {
            asked.set(asked.get() + 1);
            // No address space has room for such a stack.
            if asked.get() == refused { Builder::new().stack_size(1 << 60) } else { Builder::new() }
        };
        run(
            &Queue::new(3, TOGETHER),
            |_| 1,
            |hand_in| {
                let _ = (0..2_000_u32).try_for_each(hand_in);
            },
            || doubled,
            |result| {
                taken.push(result);
                ControlFlow::Continue(())
            },
            thread,
        );
        // After a refusal no further worker is asked for; without any there is nobody to take from.
        assert_eq!(asked.get(), [4, 1, 3, 4, 4][refused]);
        taken
    }

    #[test]
    fn threads_that_the_system_does_not_give_are_done_without() {
        for refused in 0..=4 {
            let expected: Vec<_> = (0..2_000).map(|item| item * 2).collect();
            assert_eq!(doubled_without(refused), expected, "{refused}");
        }
    }

    #[test]
    fn nothing_to_do_ends_at_once() {
        in_order_together(3, |_| 1, |_| {}, || |items: Vec<u8>| items, |_| ControlFlow::Continue(()));
    }

    /// Each item is handed in only when the one before has come out.
    #[test]
    fn an_item_does_not_wait_for_others() {
        let (out, came_out) = channel();
        in_order_together(
            2,
            |_| 1,
            |hand_in| {
                for item in 0..50_u32 {
                    let _ = hand_in(item);
                    assert_eq!(came_out.recv(), Ok(item * 2));
                }
            },
            || doubled,
            |result| {
                let _ = out.send(result);
                ControlFlow::Continue(())
            },
        );
    }

    #[test]
    fn heavy_items_are_not_heaped_up() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let (read, taken, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        in_order_together(
            2,
            |_| HEAVIEST / 4,
            |hand_in| {
                for item in 0..200_u32 {
                    read.fetch_add(1, Ordering::SeqCst);
                    let _ = hand_in(item);
                }
            },
            || doubled,
            |_| {
                let behind = read.load(Ordering::SeqCst) - taken.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(behind, Ordering::SeqCst);
                ControlFlow::Continue(())
            },
        );
        // Four fill it, and the reader has none in its hands.
        assert_eq!(taken.load(Ordering::SeqCst), 200);
        assert!(most.load(Ordering::SeqCst) <= 4, "{most:?}");
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_worker_ends_everything() {
        in_order_together(
            2,
            |_| 1,
            |hand_in| {
                let _ = (0..1_000_000_u32).try_for_each(hand_in);
            },
            || {
                |items: Vec<u32>| {
                    assert!(!items.contains(&700), "as planned");
                    items
                }
            },
            |_| ControlFlow::Continue(()),
        );
    }

    #[test]
    fn nothing_is_taken_after_the_last_that_was_wanted_and_reading_ends() {
        let (mut read, mut taken) = (0, Vec::new());
        in_order_together(
            2,
            |_| 1,
            |hand_in| {
                let _ = (0..1_000_000_u32).try_for_each(|item| {
                    read += 1;
                    hand_in(item)
                });
            },
            || |items| items,
            |result| {
                taken.push(result);
                if result == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(taken, (0..=5).collect::<Vec<_>>());
        assert!(
            read <= 6 + 2 * (2 * TOGETHER + ON_THEIR_WAY),
            "{read} items were read for 6 that were wanted"
        );
    }
}
