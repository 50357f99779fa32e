//! Threads of one process, each with an executor of its own: several adapters in one machine.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Alone, Collective, CollectiveError, share_of, tree};
use crate::profile::StepTimes;

/// One of several threads. A thread that ends, with or without an error, drops it: others that still wait for it then fail.
///
/// Several such processes may be joined by what their first threads hold: each adds up what its threads have before anything leaves it.
pub struct Threads {
    thread: usize,
    meeting: Arc<Meeting>,
    /// What joins processes: the first thread holds it, the others know its rank and size.
    outer: Option<Box<dyn Collective>>,
    outer_place: [usize; 2],
}

/// Where the threads meet: each lays something down, and when all have, each takes all.
struct Meeting {
    threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

type Thing = Arc<dyn Any + Send + Sync>;

#[derive(Default)]
struct State {
    laid: Vec<Option<(&'static str, Thing)>>,
    /// Of the last meeting, until all have taken it.
    taken: Option<(Vec<(&'static str, Thing)>, usize)>,
    /// The first rank that will not come any more.
    gone: Option<usize>,
}

impl Threads {
    /// As many as are asked for, of one process.
    pub fn new(threads: usize) -> Vec<Self> {
        Threads::within(Box::new(Alone), threads)
    }

    /// The threads of one of several processes; the first holds what joins these, and all calls of it are made from that thread. Every
    /// process must have as many threads, and a power of two of them if there are several processes.
    pub fn within(outer: Box<dyn Collective>, threads: usize) -> Vec<Self> {
        let state = State { laid: (0..threads).map(|_| None).collect(), ..State::default() };
        let meeting = Arc::new(Meeting { threads, state: Mutex::new(state), changed: Condvar::new() });
        let outer_place = [outer.rank(), outer.size()];
        let mut outer = Some(outer);
        let one =
            |thread| Threads { thread, meeting: Arc::clone(&meeting), outer: outer.take(), outer_place };
        (0..threads).map(one).collect()
    }

    /// Lays something down, and takes what all have laid down.
    fn meet<T: Any + Send + Sync>(
        &self,
        what: &'static str,
        own: Arc<T>,
    ) -> Result<Vec<Arc<T>>, CollectiveError> {
        let met = self.meeting.meet(self.thread, what, own)?;
        let rank = |thread: usize| self.outer_place[0] * self.meeting.threads + thread;
        let typed = met.into_iter().enumerate().map(|(thread, (theirs, thing))| {
            let apart = || CollectiveError::Apart {
                rank: rank(thread),
                theirs: theirs.to_owned(),
                ours: what.to_owned(),
            };
            if theirs == what { thing.downcast().map_err(|_| apart()) } else { Err(apart()) }
        });
        typed.collect()
    }
}

impl Meeting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(
        &self,
        thread: usize,
        what: &'static str,
        own: Thing,
    ) -> Result<Vec<(&'static str, Thing)>, CollectiveError> {
        let wait = |state| self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        // Until all have taken what the last meeting brought.
        while state.taken.is_some() {
            state = wait(state);
        }
        state.laid[thread] = Some((what, own));
        if state.laid.iter().all(Option::is_some) {
            let laid = state.laid.iter_mut().filter_map(Option::take).collect();
            state.taken = Some((laid, 0));
            self.changed.notify_all();
        }
        loop {
            // Who has met before another left goes on.
            if let Some((laid, takers)) = &mut state.taken {
                *takers += 1;
                let (laid, all) = (laid.clone(), *takers == self.threads);
                if all {
                    state.taken = None;
                    self.changed.notify_all();
                }
                return Ok(laid);
            }
            if let Some(rank) = state.gone {
                return Err(CollectiveError::Failed { rank });
            }
            state = wait(state);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let rank = self.rank();
        let mut state = self.meeting.lock();
        state.gone.get_or_insert(rank);
        self.meeting.changed.notify_all();
    }
}

impl Collective for Threads {
    fn rank(&self) -> usize {
        self.outer_place[0] * self.meeting.threads + self.thread
    }

    fn size(&self) -> usize {
        self.outer_place[1] * self.meeting.threads
    }

    fn sum(&mut self, values: &mut Vec<f32>, times: &mut StepTimes) -> Result<(), CollectiveError> {
        let own = Arc::new(std::mem::take(values));
        let all = times.exchange.time(|| self.meet("a sum", own))?;
        // Each adds up a part of it.
        let len = all[self.thread].len();
        if let Some(other) = all.iter().position(|vector| vector.len() != len) {
            let of = |thread: usize| format!("a sum of {} numbers", all[thread].len());
            return Err(CollectiveError::Apart {
                rank: self.outer_place[0] * self.meeting.threads + other,
                theirs: of(other),
                ours: of(self.thread),
            });
        }
        let share = share_of(len, self.thread, self.meeting.threads);
        let part = times.sum.time(|| tree::sum(all.iter().map(|vector| &vector[share.clone()])));
        let parts =
            times.exchange.time(|| self.meet("parts of a sum", Arc::new(part.unwrap_or_default())))?;
        values.clear();
        parts.iter().for_each(|part| values.extend_from_slice(part));
        if self.outer_place[1] == 1 {
            return Ok(());
        }
        if let Some(outer) = &mut self.outer {
            outer.sum(values, times)?;
        }
        let own = Arc::new(std::mem::take(values));
        let all = times.exchange.time(|| self.meet("the sum of all", own))?;
        values.extend_from_slice(&all[0]);
        Ok(())
    }

    fn gather(&mut self, own: &[u8]) -> Result<Vec<Vec<u8>>, CollectiveError> {
        let all = self.meet("words", Arc::new(own.to_vec()))?;
        let said: Vec<Vec<u8>> = all.iter().map(|said| said.to_vec()).collect();
        if self.outer_place[1] == 1 {
            return Ok(said);
        }
        let outside = match &mut self.outer {
            Some(outer) => outer.gather(&packed(&said))?.iter().flat_map(|said| unpacked(said)).collect(),
            None => Vec::new(),
        };
        let all = self.meet("the words of all", Arc::new(outside))?;
        Ok(all[0].to_vec())
    }
}

/// Several texts as one: each behind its length.
fn packed(said: &[Vec<u8>]) -> Vec<u8> {
    said.iter().flat_map(|one| [&(one.len() as u64).to_le_bytes()[..], one].concat()).collect()
}

fn unpacked(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut said = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let (one, rest) = rest.split_at(rest.len().min(u64::from_le_bytes(*len) as usize));
        said.push(one.to_vec());
        bytes = rest;
    }
    said
}

#[cfg(test)]
mod tests {
    use std::thread::scope;

    use super::*;

    fn vector(rank: usize, len: usize) -> Vec<f32> {
        (0..len).map(|at| ((at * 31 + rank * 17) as f32).sin() * 10f32.powi(rank as i32 % 4)).collect()
    }

    fn expected(ranks: usize, len: usize) -> Vec<f32> {
        let vectors: Vec<Vec<f32>> = (0..ranks).map(|rank| vector(rank, len)).collect();
        tree::sum(vectors.iter().map(Vec::as_slice)).unwrap()
    }

    /// Every rank of some sums and gathers several times.
    fn exchange(ranks: Vec<Threads>) {
        let size = ranks.len() * ranks[0].outer_place[1];
        for_each(ranks, |rank| {
            for len in [1, 7, 1000] {
                let mut values = vector(rank.rank(), len);
                rank.sum(&mut values, &mut StepTimes::default()).unwrap();
                assert_eq!(values, expected(size, len), "{size} ranks, {len} numbers");
                let own = vec![rank.rank() as u8; rank.rank()];
                let said = rank.gather(&own).unwrap();
                assert_eq!(said, (0..size).map(|rank| vec![rank as u8; rank]).collect::<Vec<_>>());
            }
        });
    }

    fn for_each(ranks: Vec<Threads>, act: impl Fn(&mut Threads) + Sync) {
        scope(|scope| {
            for mut rank in ranks {
                let act = &act;
                scope.spawn(move || act(&mut rank));
            }
        });
    }

    #[test]
    fn threads_sum_in_the_order_of_ranks() {
        for threads in 1..7 {
            exchange(Threads::new(threads));
        }
    }

    /// Three processes, which are threads here, of two and of four threads each.
    #[test]
    fn processes_of_several_threads_sum_alike() {
        for threads in [1, 2, 4] {
            scope(|scope| {
                for process in Threads::new(3) {
                    scope.spawn(move || exchange(Threads::within(Box::new(process), threads)));
                }
            });
        }
    }

    #[test]
    fn who_leaves_is_told_to_those_who_wait() {
        for leaver in 0..3 {
            let failed = Mutex::new(Vec::new());
            for_each(Threads::new(3), |rank| {
                rank.gather(b"all are here").unwrap();
                if rank.rank() != leaver {
                    failed.lock().unwrap().push(rank.gather(b"and now").unwrap_err());
                }
            });
            assert_eq!(failed.into_inner().unwrap(), vec![CollectiveError::Failed { rank: leaver }; 2]);
        }
    }

    #[test]
    fn who_does_something_else_is_told() {
        for_each(Threads::new(2), |rank| {
            let failed = match rank.rank() {
                0 => rank.gather(b"words").unwrap_err(),
                _ => rank.sum(&mut vec![0.0], &mut StepTimes::default()).unwrap_err(),
            };
            let other = 1 - rank.rank();
            assert!(matches!(failed, CollectiveError::Apart { rank, .. } if rank == other), "{failed}");
        });
        for_each(Threads::new(2), |rank| {
            let failed = rank.sum(&mut vec![0.0; 2 + rank.rank()], &mut StepTimes::default()).unwrap_err();
            assert!(failed.to_string().contains("a sum of"), "{failed}");
        });
    }
}
