//! The thread that finds mistakes.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Builder;

use anyhow::Context;

use super::mistakes::{Judge, Judged, NoMistakes};
use super::shared::Shared;
use crate::cli::output::note;
use crate::data::Dataset;
use crate::error::Error;
use crate::io::ModelFile;
use crate::panics::{quiet_pool, quietly};

/// Starts the thread, for a run of this model file; it ends with the last sender.
pub fn start(
    shared: Arc<Shared>,
    file: ModelFile,
    (set, data): (&'static str, Dataset),
) -> anyhow::Result<SyncSender<Judged>> {
    // While it is busy, weights are left out.
    let (sender, receiver) = sync_channel::<Judged>(1);
    let found_by = Arc::clone(&shared);
    let work = move || -> Result<(), Error> {
        let Some(mut judge) = Judge::new(&file, (set, &data))? else { return Ok(()) };
        for (weights, epoch) in receiver {
            let found = judge.look(weights, epoch)?;
            found_by.state().mistakes = Some(Arc::new(found));
        }
        Ok(())
    };
    let thread = Builder::new().name("mistakes".to_owned());
    thread.spawn(move || apart(&shared, work)).context("--tui: mistakes cannot be looked for")?;
    Ok(sender)
}

/// Works on threads of its own, so that no panic on one of them ends the view: whatever fails is told, and mistakes are not shown any more.
fn apart(shared: &Shared, work: impl FnOnce() -> Result<(), Error> + Send) {
    let pool = quiet_pool(rayon::current_num_threads()).map_err(|error| error.to_string());
    let ended = pool.and_then(|pool| quietly(|| pool.install(work)));
    let ended = ended.and_then(|ended| ended.map_err(|error| error.to_string()));
    if let Err(problem) = ended
        && !shared.is_closed()
    {
        shared.state().failed(NoMistakes::Failed);
        note(format_args!("warning: --tui shows no mistakes: {problem}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rayon::prelude::*;

    use super::super::example::{facts, mistakes, state};
    use super::*;
    use crate::panics::is_quiet;

    #[test]
    fn a_panic_on_any_of_its_threads_is_caught_and_told() {
        let shared = Shared::new(state(facts()));
        shared.state().mistakes = Some(mistakes());
        let [quiet, loud] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        apart(&shared, || {
            (0..1000).into_par_iter().for_each(|number| {
                if is_quiet() { &quiet } else { &loud }.fetch_add(1, Ordering::Relaxed);
                assert_ne!(number, 700);
            });
            Ok(())
        });
        assert_eq!(loud.into_inner(), 0, "the panic would have ended the view");
        assert!(quiet.into_inner() > 0);
        let state = shared.state();
        assert_eq!(state.facts.no_mistakes, Some(NoMistakes::Failed));
        assert_eq!(state.mistakes, None);
    }
}
