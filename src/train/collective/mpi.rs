//! Processes that MPI joins, on one machine or several.
//!
//! MPI moves bytes and nothing else: the sums are ours ([`tree`](super::tree)), since those of `MPI_SUM` depend on the algorithm that a
//! library takes for a length, a number of processes and their places. Vectors are cut into as many slices as there are processes; each
//! gets its slice of all (`MPI_Alltoall`), adds these up, and hands the sum to all (`MPI_Allgather`).
//!
//! Every exchange begins with a word from each process that says what it is about to do. A process that fails says that in place of it,
//! whatever the others are about to do: they then stop where they are, and none waits for ever. All calls are made from the thread that
//! began.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading, library_version};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use super::{Collective, CollectiveError, tree};
use crate::profile::StepTimes;

/// The most bytes that all processes together send at a time: counts of MPI have 31 bits.
const MOST_BYTES: usize = 1 << 30;
/// After the watchdog has spoken, the program ends by force if it does not by itself.
const LAST_GRACE: Duration = Duration::from_secs(2);
/// How much later the watchdog of the next process speaks, and that of all further ones: a launcher ends all once one has, so that one
/// speaks for those that wait.
const TURN: Duration = Duration::from_secs(5);
/// How often the watchdog looks.
const BEAT: Duration = Duration::from_millis(100);

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Fail,
    Sum,
    Gather,
    End,
}

impl Intent {
    const ALL: [Intent; 4] = [Intent::Fail, Intent::Sum, Intent::Gather, Intent::End];

    /// As a word, with a length.
    fn word(self, len: usize) -> u64 {
        (self as u64) << 56 | len as u64
    }

    fn of(word: u64) -> (Self, usize) {
        let intent = Intent::ALL.get((word >> 56) as usize).copied().unwrap_or(Intent::Fail);
        (intent, (word & ((1 << 56) - 1)) as usize)
    }

    fn said(self, len: usize) -> String {
        match self {
            Intent::Fail => "nothing more".to_owned(),
            Intent::Sum => format!("a sum of {len} numbers"),
            Intent::Gather => "words".to_owned(),
            Intent::End => "the end".to_owned(),
        }
    }
}

/// This process among those that MPI started together. If it is dropped without [`end`](Self::end), as by a panic, all processes are
/// aborted: in MPI the others would wait for this one for ever.
pub struct MpiRun {
    /// Finalizes MPI when it is dropped; there until the end.
    universe: Option<Universe>,
    mpi: Mpi,
}

impl MpiRun {
    /// Joins the others. A process that then waits for them longer than `patience` ends the run.
    ///
    /// # Errors
    /// When MPI was started before in this process.
    pub fn begin(patience: Duration) -> Result<Self, &'static str> {
        let (universe, _) = initialize_with_threading(Threading::Funneled)
            .ok_or("MPI was started in this process before, and starts only once")?;
        let world = universe.world();
        let [rank, size] = [world.rank(), world.size()].map(|count| count as usize);
        let shared = Arc::new(Shared { failed: AtomicBool::new(false), watch: Watch::default() });
        shared.watch.begin(Arc::clone(&shared), rank, patience);
        let mpi = Mpi { rank, size, shared, slices: Vec::new() };
        Ok(MpiRun { universe: Some(universe), mpi })
    }

    /// What a model is distributed by.
    pub fn collective(&self) -> Mpi {
        Mpi { slices: Vec::new(), shared: Arc::clone(&self.mpi.shared), ..self.mpi }
    }

    /// The number of this process among those of its machine, and how many these are.
    pub fn local(&self) -> [usize; 2] {
        let local = SimpleCommunicator::world().split_shared(self.mpi.rank as i32);
        [local.rank(), local.size()].map(|count| count as usize)
    }

    /// The MPI that the program was built for, in one line.
    pub fn library() -> String {
        let version = library_version().unwrap_or_default();
        version.split(['\n', ',']).next().unwrap_or_default().trim_matches(['\0', ' ']).to_owned()
    }

    /// Ends the run, in all processes at once; `own` is this one's error, if it has one. `tell` gets the number and the error of the lowest
    /// process that has one, while all are still there: a launcher kills the others once one has ended with an error. Returns whether
    /// any has.
    pub fn end(mut self, own: Option<&str>, tell: impl FnOnce(usize, &str)) -> bool {
        let universe = self.universe.take();
        let Mpi { size, shared, .. } = &self.mpi;
        let waiting = shared.watch.wait("the end");
        let known = shared.failed.load(Ordering::Relaxed);
        let intent = if own.is_some() { Intent::Fail } else { Intent::End };
        // Where it is known that one has failed, all are here already.
        let failed = known || self.mpi.announce(intent, 0).is_err();
        if failed {
            let said = self.mpi.exchange(own.unwrap_or_default().as_bytes());
            let lowest = (0..*size).find(|&rank| !said[rank].is_empty());
            if let Some(rank) = lowest {
                tell(rank, &String::from_utf8_lossy(&said[rank]));
            }
            SimpleCommunicator::world().barrier();
        }
        drop(universe);
        drop(waiting);
        shared.watch.end();
        failed
    }
}

impl Drop for MpiRun {
    fn drop(&mut self) {
        if self.universe.is_some() {
            SimpleCommunicator::world().abort(1);
        }
    }
}

/// A process of several, as a model exchanges with the others.
pub struct Mpi {
    rank: usize,
    size: usize,
    shared: Arc<Shared>,
    /// The slices of all, kept from sum to sum.
    slices: Vec<f32>,
}

struct Shared {
    /// Whether a process is known to have failed: nothing is exchanged any more but how it ends.
    failed: AtomicBool,
    watch: Watch,
}

impl Mpi {
    /// Says what this process is about to do, and hears the same of all; returns their lengths.
    fn announce(&self, intent: Intent, len: usize) -> Result<Vec<usize>, CollectiveError> {
        if self.shared.failed.load(Ordering::Relaxed) {
            return Err(CollectiveError::Failed { rank: self.rank });
        }
        let mut words = vec![0u64; self.size];
        SimpleCommunicator::world().all_gather_into(&intent.word(len), &mut words[..]);
        let said: Vec<(Intent, usize)> = words.into_iter().map(Intent::of).collect();
        let failed = said.iter().position(|(theirs, _)| *theirs == Intent::Fail);
        let differs =
            |&(theirs, other): &(Intent, usize)| theirs != intent || intent == Intent::Sum && other != len;
        let apart = said.iter().position(differs);
        let error = match (failed, apart) {
            (Some(rank), _) => CollectiveError::Failed { rank },
            (None, Some(rank)) => {
                let (theirs, other) = said[rank];
                CollectiveError::Apart { rank, theirs: theirs.said(other), ours: intent.said(len) }
            }
            (None, None) => return Ok(said.into_iter().map(|(_, len)| len).collect()),
        };
        self.shared.failed.store(true, Ordering::Relaxed);
        Err(error)
    }

    /// What each process has to say, without a word before it.
    fn exchange(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let mut lens = vec![0u64; self.size];
        SimpleCommunicator::world().all_gather_into(&(own.len() as u64), &mut lens[..]);
        let lens: Vec<usize> = lens.into_iter().map(|len| len as usize).collect();
        self.exchange_of(own, &lens)
    }

    fn exchange_of(&self, own: &[u8], lens: &[usize]) -> Vec<Vec<u8>> {
        let most = MOST_BYTES / self.size;
        let longest = lens.iter().copied().max().unwrap_or(0);
        let mut said = vec![Vec::new(); self.size];
        for first in (0..longest).step_by(most) {
            let part = |len: usize| first.min(len)..(first + most).min(len);
            let counts: Vec<i32> = lens.iter().map(|&len| part(len).len() as i32).collect();
            let places: Vec<i32> = counts
                .iter()
                .scan(0, |next, count| {
                    *next += count;
                    Some(*next - count)
                })
                .collect();
            let mut all = vec![0u8; counts.iter().map(|&count| count as usize).sum()];
            {
                let mut parts = PartitionMut::new(&mut all[..], &counts[..], &places[..]);
                SimpleCommunicator::world().all_gather_varcount_into(&own[part(own.len())], &mut parts);
            }
            for ((said, &place), &count) in said.iter_mut().zip(&places).zip(&counts) {
                said.extend_from_slice(&all[place as usize..][..count as usize]);
            }
        }
        said
    }
}

impl Collective for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&mut self, values: &mut Vec<f32>, times: &mut StepTimes) -> Result<(), CollectiveError> {
        let len = values.len();
        let world = SimpleCommunicator::world();
        let shared = Arc::clone(&self.shared);
        let _waiting = shared.watch.wait("a sum");
        times.exchange.time(|| self.announce(Intent::Sum, len))?;
        let slice = len.div_ceil(self.size);
        values.resize(slice * self.size, 0.0);
        self.slices.resize(slice * self.size, 0.0);
        times.exchange.time(|| world.all_to_all_into(&values[..], &mut self.slices[..]));
        let sum = times.sum.time(|| tree::sum(self.slices.chunks(slice.max(1)))).unwrap_or_default();
        times.exchange.time(|| world.all_gather_into(&sum[..], &mut values[..]));
        values.truncate(len);
        Ok(())
    }

    fn gather(&mut self, own: &[u8]) -> Result<Vec<Vec<u8>>, CollectiveError> {
        let _waiting = self.shared.watch.wait("words");
        let lens = self.announce(Intent::Gather, own.len())?;
        Ok(self.exchange_of(own, &lens))
    }
}

/// Ends the program when an exchange takes too long: a call of MPI cannot be given up.
#[derive(Default)]
struct Watch {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    since: Option<(Instant, &'static str)>,
    over: bool,
}

/// As long as it is held, an exchange is in progress.
struct InExchange<'a>(&'a Watch);

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches from a thread of its own.
    fn begin(&self, shared: Arc<Shared>, rank: usize, patience: Duration) {
        // A thread that cannot be had leaves the exchanges unwatched.
        let _ = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let watch = &shared.watch;
            let most = patience + TURN * rank.min(2) as u32;
            // Time is counted by beats: a process that stood still itself, and is woken, has not waited meanwhile.
            let (mut watched, mut beats) = (None, 0);
            let mut state = watch.lock();
            while !state.over {
                beats = if state.since == watched { beats + 1 } else { 0 };
                watched = state.since;
                if let Some((_, what)) = watched.filter(|_| BEAT * beats > most) {
                    give_up(rank, what, patience);
                }
                state = match watch.changed.wait_timeout(state, BEAT) {
                    Ok((state, _)) => state,
                    Err(poisoned) => poisoned.into_inner().0,
                };
            }
        });
    }

    fn wait(&self, what: &'static str) -> InExchange<'_> {
        self.lock().since = Some((Instant::now(), what));
        InExchange(self)
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }
}

impl Drop for InExchange<'_> {
    fn drop(&mut self) {
        self.0.lock().since = None;
    }
}

fn give_up(rank: usize, what: &str, patience: Duration) -> ! {
    eprintln!(
        "error: process {rank} waited for {what} of the others for more than {} s: one of them hangs, or the \
         connection is broken; if they are only slow, give a larger --peer-timeout",
        patience.as_secs()
    );
    thread::spawn(|| {
        thread::sleep(LAST_GRACE);
        std::process::abort();
    });
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_and_a_length_fit_a_word() {
        for intent in Intent::ALL {
            for len in [0, 1, 80, (1 << 56) - 1] {
                assert_eq!(Intent::of(intent.word(len)), (intent, len));
            }
        }
    }
}
