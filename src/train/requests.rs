//! What callbacks ask of training.

use super::collective::{Collective, CollectiveError};

/// What a callback asks for; nothing by default. Work that is on the device already is finished first, so that some more batches may be
/// trained before it is heeded.
///
/// ```
/// use shadegrad::train::Requests;
///
/// let asked = Requests::rate(0.5).and(Requests::checkpoint());
/// assert_eq!((asked.rate_factor, asked.checkpoint, asked.stop), (Some(0.5), true, None));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Requests {
    /// End training, for this reason; it stands in [`Stopped::why`](super::Stopped::why). A call of [`fit`](super::Model::fit) that ends so
    /// is over: the weights become their moving average or those of the best epoch, as at any other end, and a checkpoint from then on
    /// leaves nothing to [resume](super::Model::resume). It outranks an interruption and the last step that the options allow.
    pub stop: Option<String>,
    /// Multiply the learning rate by this, from the next batch on, whatever the schedule says. It stays for later calls of `fit`.
    pub rate_factor: Option<f32>,
    /// Make a checkpoint, which [`on_checkpoint`](super::Callback::on_checkpoint) receives with the weights, also where
    /// [`checkpoints`](super::Callback::checkpoints) are made never; [`asked_for`](super::Checkpoint::asked_for) is set in it. After the end of
    /// an epoch that `max_steps` cut short none is made any more, unless for a reason to stop: `fit` returns, and the model has the weights.
    pub checkpoint: bool,
}

impl Requests {
    /// To end training, for this reason.
    pub fn stop(why: impl Into<String>) -> Requests {
        Requests { stop: Some(why.into()), ..Requests::default() }
    }

    /// To multiply the learning rate by this factor, above 0.
    pub fn rate(factor: f32) -> Requests {
        Requests { rate_factor: Some(factor), ..Requests::default() }
    }

    /// To make a checkpoint.
    pub fn checkpoint() -> Requests {
        Requests { checkpoint: true, ..Requests::default() }
    }

    /// Whether anything is asked for.
    pub fn is_some(&self) -> bool {
        *self != Requests::default()
    }

    /// Both: the reason to stop that came first, and both factors.
    #[must_use]
    pub fn and(self, other: Requests) -> Requests {
        let factor = |a: Option<f32>, b: Option<f32>| Some(a? * b?);
        Requests {
            rate_factor: factor(self.rate_factor, other.rate_factor)
                .or(self.rate_factor)
                .or(other.rate_factor),
            stop: self.stop.or(other.stop),
            checkpoint: self.checkpoint || other.checkpoint,
        }
    }
}

/// What all ranks ask for, and whether any is interrupted.
///
/// # Errors
/// As [`Collective::gather`].
pub(super) fn agreed(
    collective: &mut dyn Collective,
    (own, interrupted): (Requests, bool),
) -> Result<(Requests, bool), CollectiveError> {
    if collective.size() == 1 {
        return Ok((own, interrupted));
    }
    let said = collective.gather(&to_bytes(&own, interrupted))?;
    let said = said.iter().map(|bytes| from_bytes(bytes));
    Ok(said.fold(Default::default(), |(all, any), (one, is)| (Requests::and(all, one), any || is)))
}

/// A byte of flags, the factor, and the reason to stop.
fn to_bytes(asked: &Requests, interrupted: bool) -> Vec<u8> {
    let flags = [interrupted, asked.checkpoint, asked.rate_factor.is_some(), asked.stop.is_some()];
    let mut bytes: Vec<u8> = flags.map(u8::from).to_vec();
    bytes.extend(asked.rate_factor.unwrap_or(1.0).to_le_bytes());
    bytes.extend(asked.stop.as_deref().unwrap_or_default().bytes());
    bytes
}

fn from_bytes(bytes: &[u8]) -> (Requests, bool) {
    let Some((&[interrupted, checkpoint, rate, stop, a, b, c, d], why)) = bytes.split_first_chunk() else {
        return Default::default();
    };
    let asked = Requests {
        stop: (stop == 1).then(|| String::from_utf8_lossy(why).into_owned()),
        rate_factor: (rate == 1).then_some(f32::from_le_bytes([a, b, c, d])),
        checkpoint: checkpoint == 1,
    };
    (asked, interrupted == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(stop: Option<&str>, rate_factor: Option<f32>, checkpoint: bool) -> Requests {
        Requests { stop: stop.map(str::to_owned), rate_factor, checkpoint }
    }

    #[test]
    fn of_several_all_is_heeded() {
        let rows = [
            (asking(None, None, false), asking(None, None, false), asking(None, None, false)),
            (
                asking(Some("a"), None, false),
                asking(Some("b"), Some(0.5), false),
                asking(Some("a"), Some(0.5), false),
            ),
            (
                asking(None, Some(0.5), true),
                asking(Some("b"), Some(0.25), false),
                asking(Some("b"), Some(0.125), true),
            ),
            (asking(None, Some(2.0), false), asking(None, None, true), asking(None, Some(2.0), true)),
        ];
        for (one, other, both) in rows {
            assert_eq!(one.clone().and(other.clone()), both, "{one:?} and {other:?}");
            assert_eq!(both.is_some(), both != Requests::default());
        }
    }

    #[test]
    fn ranks_understand_each_other() {
        let rows = [
            asking(None, None, false),
            asking(Some(""), None, false),
            asking(Some("größer"), Some(0.1), false),
            asking(None, Some(f32::MIN_POSITIVE), true),
        ];
        for asked in rows {
            for interrupted in [false, true] {
                assert_eq!(from_bytes(&to_bytes(&asked, interrupted)), (asked.clone(), interrupted));
            }
        }
        assert_eq!(from_bytes(&[1; 7]), Default::default());
    }
}
