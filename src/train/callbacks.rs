//! Several callbacks at once, and functions as callbacks.

use super::callback::{Callback, CallbackError};
use super::checkpoint::{Checkpoint, Checkpoints};
use super::records::{EpochRecord, FoldResult, History, Schedule, StepRecord};
use super::requests::Requests;
use crate::profile::ProfileSoFar;

/// Both: all the checkpoints that either wants, or more.
fn most(one: Checkpoints, other: Checkpoints) -> Checkpoints {
    match (one, other) {
        (Checkpoints::Steps(a), Checkpoints::Steps(b)) => Checkpoints::Steps(a.min(b)),
        (steps @ Checkpoints::Steps(_), _) | (_, steps @ Checkpoints::Steps(_)) => steps,
        (Checkpoints::Epochs, _) | (_, Checkpoints::Epochs) => Checkpoints::Epochs,
        (Checkpoints::Never, Checkpoints::Never) => Checkpoints::Never,
    }
}

/// The events of [`Callback`], each told to all of `$all` in their order, up to the first that fails.
macro_rules! told_to_all {
    ($all:ident => $list:expr, $shared:expr) => {
        fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_train_begin(schedule))
        }

        fn on_profile(&mut self, times: ProfileSoFar) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_profile(times.clone()))
        }

        fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_epoch_begin(epoch))
        }

        fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_step(record))
        }

        fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_epoch_end(record))
        }

        fn interrupted(&self) -> bool {
            let $all = self;
            $shared.into_iter().any(|one| one.interrupted())
        }

        fn requests(&mut self) -> Requests {
            let $all = self;
            $list.into_iter().fold(Requests::default(), |asked, one| asked.and(one.requests()))
        }

        fn checkpoints(&self) -> Checkpoints {
            let $all = self;
            $shared.into_iter().fold(Checkpoints::Never, |wanted, one| most(wanted, one.checkpoints()))
        }

        fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_checkpoint(checkpoint))
        }

        fn on_fold_end(&mut self, result: &FoldResult) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_fold_end(result))
        }

        fn on_train_end(&mut self, history: &History) -> Result<(), CallbackError> {
            let $all = self;
            $list.into_iter().try_for_each(|one| one.on_train_end(history))
        }
    };
}

/// The one behind it, which is still there when training is over: so a callback that is asked for its findings afterwards is one of a
/// tuple with others that are not.
impl<C: Callback + ?Sized> Callback for &mut C {
    told_to_all!(one => [&mut **one], [&**one]);
}

/// The one in it.
impl<C: Callback + ?Sized> Callback for Box<C> {
    told_to_all!(one => [&mut **one], [&**one]);
}

/// All of them, in their order. An error of one ends training before the next is told; checkpoints are made as often as any of them
/// wants, and each is told of all of them; all that they ask for is heeded, of reasons to stop the first.
impl Callback for Vec<Box<dyn Callback + '_>> {
    told_to_all!(all => all.iter_mut(), all.iter());
}

/// Both, as a [`Vec`] of callbacks.
impl<A: Callback, B: Callback> Callback for (A, B) {
    told_to_all!(
        all => [&mut all.0 as &mut dyn Callback, &mut all.1],
        [&all.0 as &dyn Callback, &all.1]
    );
}

/// All three, as a [`Vec`] of callbacks.
impl<A: Callback, B: Callback, C: Callback> Callback for (A, B, C) {
    told_to_all!(
        all => [&mut all.0 as &mut dyn Callback, &mut all.1, &mut all.2],
        [&all.0 as &dyn Callback, &all.1, &all.2]
    );
}

/// What [`on_step`] makes.
#[derive(Debug)]
pub struct OnStep<F>(F);

impl<F: FnMut(&StepRecord) -> Result<(), CallbackError>> Callback for OnStep<F> {
    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        (self.0)(record)
    }
}

/// A callback that calls this function after each batch.
pub fn on_step<F: FnMut(&StepRecord) -> Result<(), CallbackError>>(function: F) -> OnStep<F> {
    OnStep(function)
}

/// What [`on_epoch_end`] makes.
#[derive(Debug)]
pub struct OnEpochEnd<F>(F);

impl<F: FnMut(&EpochRecord) -> Result<(), CallbackError>> Callback for OnEpochEnd<F> {
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        (self.0)(record)
    }
}

/// A callback that calls this function after each epoch and its validation.
///
/// ```no_run
/// use shadegrad::data::Dataset;
/// use shadegrad::model::{Activation, Dense, Flatten, Sequential};
/// use shadegrad::train::{Compile, FitOptions, on_epoch_end, on_step};
/// use shadegrad::Device;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let data = Dataset::new(vec![0; 4 * 64], vec![0, 1, 0, 1], [8, 8, 1], 2)?;
/// let net = Sequential::new([8, 8, 1]).add(Flatten::new()).add(Dense::new(2).activation(Activation::Softmax));
/// let mut model = net.compile(&Device::auto(), Compile::default())?;
/// let mut steps = 0;
/// let mut both = (
///     on_step(|_| {
///         steps += 1;
///         Ok(())
///     }),
///     on_epoch_end(|epoch| {
///         println!("epoch {}: loss {:.4}", epoch.epoch, epoch.loss);
///         Ok(())
///     }),
/// );
/// model.fit(&data, &FitOptions::default(), &mut both)?;
/// # Ok(())
/// # }
/// ```
pub fn on_epoch_end<F: FnMut(&EpochRecord) -> Result<(), CallbackError>>(function: F) -> OnEpochEnd<F> {
    OnEpochEnd(function)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::train::NoCallback;

    /// Writes down what it is told, with its name.
    struct Named<'a> {
        name: &'static str,
        told: &'a RefCell<Vec<String>>,
        wants: Checkpoints,
        stops: bool,
        fails: bool,
    }

    impl Callback for Named<'_> {
        fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
            self.told.borrow_mut().push(format!("{} {epoch}", self.name));
            if self.fails { Err("no more".into()) } else { Ok(()) }
        }

        fn interrupted(&self) -> bool {
            self.stops
        }

        fn requests(&mut self) -> Requests {
            Requests::stop(self.name)
        }

        fn checkpoints(&self) -> Checkpoints {
            self.wants
        }

        fn on_train_end(&mut self, _: &History) -> Result<(), CallbackError> {
            self.told.borrow_mut().push(format!("{} ends", self.name));
            Ok(())
        }
    }

    fn named<'a>(name: &'static str, told: &'a RefCell<Vec<String>>) -> Named<'a> {
        Named { name, told, wants: Checkpoints::Never, stops: false, fails: false }
    }

    #[test]
    fn all_are_told_in_their_order_up_to_one_that_fails() {
        let told = RefCell::default();
        let mut list: Vec<Box<dyn Callback + '_>> = vec![
            Box::new(named("a", &told)),
            Box::new(Named { fails: true, ..named("b", &told) }),
            Box::new(named("c", &told)),
        ];
        let error = list.on_epoch_begin(3).unwrap_err();
        assert_eq!(error.to_string(), "no more");
        (named("d", &told), named("e", &told)).on_epoch_begin(4).unwrap();
        (named("f", &told), named("g", &told), named("h", &told)).on_epoch_begin(5).unwrap();
        drop(list);
        assert_eq!(told.into_inner(), ["a 3", "b 3", "d 4", "e 4", "f 5", "g 5", "h 5"]);
    }

    /// A callback that is lent, boxed, or both, in a tuple and in a list.
    #[test]
    fn what_is_lent_or_boxed_is_told_and_asked() {
        let told = RefCell::default();
        let wants = Checkpoints::Steps(3);
        let mut mine = Named { wants, stops: true, ..named("mine", &told) };
        let boxed: Box<dyn Callback + '_> = Box::new(named("boxed", &told));
        let mut epochs = Vec::new();
        let mut all = (
            &mut mine,
            boxed,
            on_epoch_end(|record| {
                epochs.push(record.epoch);
                Ok(())
            }),
        );
        all.on_epoch_begin(1).unwrap();
        all.on_epoch_end(&EpochRecord::new(1, 0.5)).unwrap();
        all.on_train_end(&History::default()).unwrap();
        assert_eq!((all.interrupted(), all.checkpoints()), (true, wants));
        assert_eq!(all.requests(), Requests::stop("mine").and(Requests::stop("boxed")));
        let lent: &mut dyn Callback = &mut all;
        let mut list: Vec<Box<dyn Callback + '_>> = vec![Box::new(lent), Box::new(NoCallback)];
        list.on_epoch_begin(2).unwrap();
        assert!(list.interrupted());
        drop(list);
        drop(all);
        mine.name = "still mine";
        mine.on_epoch_begin(3).unwrap();
        assert_eq!(epochs, [1]);
        let expected = ["mine 1", "boxed 1", "mine ends", "boxed ends", "mine 2", "boxed 2", "still mine 3"];
        assert_eq!(told.into_inner(), expected);
    }

    #[test]
    fn one_is_enough_to_stop_and_the_most_checkpoints_are_made() {
        let told = RefCell::default();
        let wants = |wants| Named { wants, ..named("a", &told) };
        let rows = [
            ([Checkpoints::Never, Checkpoints::Never], Checkpoints::Never),
            ([Checkpoints::Never, Checkpoints::Epochs], Checkpoints::Epochs),
            ([Checkpoints::Steps(7), Checkpoints::Epochs], Checkpoints::Steps(7)),
            ([Checkpoints::Steps(7), Checkpoints::Steps(5)], Checkpoints::Steps(5)),
        ];
        for ([one, other], expected) in rows {
            assert_eq!((wants(one), wants(other)).checkpoints(), expected);
            assert_eq!((wants(other), wants(one)).checkpoints(), expected);
        }
        assert!(!(named("a", &told), named("b", &told)).interrupted());
        assert!((named("a", &told), Named { stops: true, ..named("b", &told) }).interrupted());
    }

    #[test]
    fn functions_are_told_of_their_event_alone() {
        let mut losses = Vec::new();
        let record = |epoch| EpochRecord {
            epoch,
            loss: 0.5,
            accuracy: None,
            val_loss: None,
            val_accuracy: None,
            learning_rate: 0.1,
            seconds: 1.0,
        };
        let mut callback = on_epoch_end(|record| {
            losses.push((record.epoch, record.loss));
            Ok(())
        });
        callback.on_epoch_begin(1).unwrap();
        callback.on_epoch_end(&record(1)).unwrap();
        callback.on_epoch_end(&record(2)).unwrap();
        assert_eq!(losses, [(1, 0.5), (2, 0.5)]);
    }
}
