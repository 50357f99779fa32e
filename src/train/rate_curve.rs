//! The losses of batches under growing learning rates, and the rate that they suggest.

use serde::Serialize;

use super::check::{rate_in_range, require};
use crate::error::SettingError;
use crate::message::debug_is_message;

/// Where the smoothed loss is this many times its least value, training has diverged.
const DIVERGED: f64 = 4.0;
/// The least rate's share that is the most to be suggested.
const SHARE_OF_LEAST: f64 = 0.1;
/// A fall of the smoothed loss counts if it is this many times the noise that smoothing leaves.
const CLEAR: f64 = 4.0;
/// Points of a curve from which something is suggested, at least.
const FEWEST_POINTS: usize = 12;

/// Which learning rates are tried: from the least to the greatest, each the same multiple of the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRange {
    /// The rate of the first batch; default 1e-7.
    pub min_learning_rate: f64,
    /// The rate of the last batch; default 1.
    pub max_learning_rate: f64,
    /// How many batches, over several passes where one over the training set has fewer; default 100.
    pub batches: usize,
    /// How much of the smoothed loss stays from batch to batch, at least 0 and below 1; default 0.9.
    pub smoothing: f64,
}

impl Default for RateRange {
    fn default() -> Self {
        RateRange { min_learning_rate: 1e-7, max_learning_rate: 1.0, batches: 100, smoothing: 0.9 }
    }
}

impl RateRange {
    /// Refuses a range without rates, and a smoothing that keeps everything.
    ///
    /// # Errors
    /// The first such setting, and what it must be.
    pub fn check(&self) -> Result<(), SettingError> {
        let (least, most) = (self.min_learning_rate, self.max_learning_rate);
        rate_in_range("min_learning_rate", least)?;
        require(least as f32 > 0.0, "min_learning_rate", least, || "above 0")?;
        rate_in_range("max_learning_rate", most)?;
        require(most > least, "max_learning_rate", most, || "above `min_learning_rate`")?;
        require(self.batches > 0, "batches", self.batches, || "at least 1")?;
        let kept = self.smoothing;
        require((0.0..1.0).contains(&kept), "smoothing", kept, || "at least 0 and below 1")
    }

    /// `min * (max / min)^(batch / (batches - 1))`.
    pub(super) fn rate(&self, batch: usize, batches: usize) -> f32 {
        let done = batch as f64 / batches.saturating_sub(1).max(1) as f64;
        (self.min_learning_rate * (self.max_learning_rate / self.min_learning_rate).powf(done)) as f32
    }
}

/// One batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatePoint {
    /// Of its update.
    pub learning_rate: f32,
    /// Mean over the batch, before its update.
    pub loss: f32,
    /// The exponential mean of the losses so far, without its bias to 0:
    /// `m / (1 - s^n)` after `n` batches, with `m = s * m + (1 - s) * loss`.
    pub smoothed: f64,
}

/// The greatest smoothed loss up to the least one: how high a picture of the curve should be, since what follows can be any
/// number of times as high. 0 without points.
pub fn top_of_curve(points: &[RatePoint]) -> f64 {
    let by_value = |a: &&RatePoint, b: &&RatePoint| a.smoothed.total_cmp(&b.smoothed);
    let least = points.iter().min_by(by_value).map_or(0.0, |point| point.smoothed);
    let first_least = points.iter().position(|point| point.smoothed <= least);
    points[..first_least.map_or(0, |at| at + 1)].iter().map(|point| point.smoothed).fold(0.0, f64::max)
}

/// Why a curve ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveEnd {
    /// All rates were tried.
    AllTried,
    /// The smoothed loss was over four times its least value.
    Diverged,
    /// The loss of the batch after the last point was not finite, or a gradient of the last point.
    NotFinite,
}

/// How the loss depends on the learning rate: a point for each batch, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct RateCurve {
    /// Every batch whose loss was finite, up to the end.
    pub points: Vec<RatePoint>,
    /// Why there are no more.
    pub end: CurveEnd,
    smoothing: f64,
    mean: f64,
    least: f64,
}

/// A learning rate that a curve suggests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateSuggestion {
    /// The smaller one of `steepest` and `bound`, in two digits.
    pub learning_rate: f64,
    /// Where the smoothed loss falls fastest by the logarithm of the rate.
    pub steepest: f32,
    /// Where the smoothed loss is least.
    pub least: f32,
    /// A tenth of `least`.
    pub bound: f64,
    /// Whether the loss was still falling at the greatest rate, so that larger ones may do.
    pub still_falling: bool,
}

/// Why a curve suggests no learning rate.
#[derive(Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoSuggestion {
    /// There are too few batches.
    #[error(
        "{points} {} too few to tell, at least {needed} are needed: use more batches",
        if *points == 1 { "batch is" } else { "batches are" }
    )]
    Few {
        /// Points of the curve.
        points: usize,
        /// How many would do.
        needed: usize,
    },
    /// It diverged before there was anything to see.
    #[error(
        "training diverged after {points} batches, at a rate of {rate:.1e}, before the loss had fallen: begin with smaller \
         rates; if that does not help, look at the model's loss and its data"
    )]
    AtOnce {
        /// Points of the curve.
        points: usize,
        /// The last one's rate.
        rate: f32,
    },
    /// There is not even one loss.
    #[error(
        "the first loss is not finite, before any update: no learning rate helps; look at the model's loss and its data"
    )]
    NotFinite,
    /// The loss did not fall.
    #[error(
        "the smoothed loss falls by {fall:.2e}, which is no more than its noise ({noise:.2e}): try larger rates, or \
         more batches; if the model is already trained, its loss cannot fall much"
    )]
    Flat {
        /// From where smoothing has enough batches to the least value.
        fall: f64,
        /// What is not told from noise.
        noise: f64,
    },
}

debug_is_message!(NoSuggestion);

impl RateCurve {
    pub(super) fn new(smoothing: f64) -> Self {
        RateCurve { points: Vec::new(), end: CurveEnd::AllTried, smoothing, mean: 0.0, least: f64::INFINITY }
    }

    /// Adds a batch; false where the curve ends with it.
    pub(super) fn add(&mut self, learning_rate: f32, loss: f32) -> bool {
        if !loss.is_finite() {
            self.end = CurveEnd::NotFinite;
            return false;
        }
        let kept = self.smoothing;
        self.mean = kept * self.mean + (1.0 - kept) * f64::from(loss);
        // At least the first loss: with a power of 0 nothing is kept.
        let smoothed = self.mean / (1.0 - kept.powf(self.points.len() as f64 + 1.0));
        self.least = self.least.min(smoothed);
        self.points.push(RatePoint { learning_rate, loss, smoothed });
        if smoothed > DIVERGED * self.least {
            self.end = CurveEnd::Diverged;
        }
        self.end == CurveEnd::AllTried
    }

    /// After so many batches the smoothed loss is a mean of about as many as it ever will be.
    fn settled(&self) -> usize {
        (1.0 / (1.0 - self.smoothing)).ceil().min(self.points.len() as f64) as usize
    }

    /// The rate to train with: that of the steepest descent of the smoothed loss up to its least value, and no more than a
    /// tenth of the rate of the least value. Both are looked for where smoothing has settled, after `1 / (1 - smoothing)`
    /// batches; a slope is taken over that many points. The curve is from Smith, "Cyclical Learning Rates for Training
    /// Neural Networks", 2017, the two rules are those in common use.
    ///
    /// # Errors
    /// When the curve is too short, or the loss does not fall by more than its noise.
    pub fn suggestion(&self) -> Result<RateSuggestion, NoSuggestion> {
        let (points, settled) = (&self.points, self.settled());
        let needed = FEWEST_POINTS.max((2.0 / (1.0 - self.smoothing)).ceil() as usize);
        if points.len() < needed {
            let last = points.last().filter(|_| self.end != CurveEnd::AllTried);
            return Err(match last {
                None if self.end == CurveEnd::NotFinite => NoSuggestion::NotFinite,
                Some(last) => NoSuggestion::AtOnce { points: points.len(), rate: last.learning_rate },
                None => NoSuggestion::Few { points: points.len(), needed },
            });
        }
        let first = settled - 1;
        let by_value = |a: &usize, b: &usize| points[*a].smoothed.total_cmp(&points[*b].smoothed);
        let least = (first..points.len()).min_by(by_value).unwrap_or(first);
        let (fall, noise) = (points[first].smoothed - points[least].smoothed, self.noise(settled));
        if fall <= noise {
            return Err(match self.end {
                CurveEnd::AllTried => NoSuggestion::Flat { fall, noise },
                _ => NoSuggestion::AtOnce {
                    points: points.len(),
                    rate: points[points.len() - 1].learning_rate,
                },
            });
        }
        // Over as many points as smoothing keeps, half of them before and half after, so that a chance fall does not count.
        let (last, reach) = (points.len() - 1, (settled / 2).max(1));
        let slope = |at: usize| {
            let (before, after) = (at.saturating_sub(reach).max(first), (at + reach).min(last));
            (points[after].smoothed - points[before].smoothed) / (after - before).max(1) as f64
        };
        let steepest = (first..=least).min_by(|&a, &b| slope(a).total_cmp(&slope(b))).unwrap_or(first);
        let (steepest, rate_of_least) = (points[steepest].learning_rate, points[least].learning_rate);
        let bound = SHARE_OF_LEAST * f64::from(rate_of_least);
        Ok(RateSuggestion {
            learning_rate: two_digits(bound.min(f64::from(steepest))),
            steepest,
            least: rate_of_least,
            bound,
            still_falling: least == last && self.end == CurveEnd::AllTried,
        })
    }

    /// How far the smoothed loss may wander by chance: some standard deviations of it, from those of the first losses, in
    /// which rates are too small to matter. An exponential mean has `(1 - s) / (1 + s)` of the variance of its terms.
    fn noise(&self, settled: usize) -> f64 {
        let losses = || self.points[..settled].iter().map(|point| f64::from(point.loss));
        let mean = losses().sum::<f64>() / settled as f64;
        let variance = losses().map(|loss| (loss - mean).powi(2)).sum::<f64>() / settled as f64;
        CLEAR * (variance * (1.0 - self.smoothing) / (1.0 + self.smoothing)).sqrt()
    }
}

/// A rate as it is said and typed.
fn two_digits(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The curve of these losses, over the default rates.
    fn curve(smoothing: f64, losses: &[f32]) -> RateCurve {
        let range = RateRange { smoothing, ..RateRange::default() };
        let mut curve = RateCurve::new(smoothing);
        for (batch, &loss) in losses.iter().enumerate() {
            if !curve.add(range.rate(batch, losses.len()), loss) {
                break;
            }
        }
        curve
    }

    /// Flat, then down by half a cosine, then up.
    fn valley(count: usize) -> Vec<f32> {
        let at = |n: usize| match n as f32 / count as f32 {
            x if x < 0.4 => 2.0,
            x if x < 0.8 => 1.1 + 0.9 * ((x - 0.4) / 0.4 * std::f32::consts::PI).cos(),
            x => 0.2 + 20.0 * (x - 0.8),
        };
        (0..count).map(at).collect()
    }

    #[test]
    fn rates_grow_by_one_factor() {
        let range = RateRange { min_learning_rate: 1e-4, max_learning_rate: 1e-1, ..RateRange::default() };
        let rates: Vec<f32> = (0..4).map(|batch| range.rate(batch, 4)).collect();
        for (rate, expected) in rates.iter().zip([1e-4, 1e-3, 1e-2, 1e-1]) {
            assert!((rate / expected - 1.0).abs() < 1e-6, "{rates:?}");
        }
        assert_eq!(range.rate(0, 1), 1e-4);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = RateRange::default();
        assert_eq!(good.check(), Ok(()));
        let rows = [
            (RateRange { min_learning_rate: 0.0, ..good }, "min_learning_rate"),
            (RateRange { min_learning_rate: f64::NAN, ..good }, "min_learning_rate"),
            (RateRange { max_learning_rate: 1e-7, ..good }, "max_learning_rate"),
            (RateRange { max_learning_rate: 1e39, ..good }, "max_learning_rate"),
            (RateRange { batches: 0, ..good }, "batches"),
            (RateRange { smoothing: 1.0, ..good }, "smoothing"),
        ];
        for (range, setting) in rows {
            assert_eq!(range.check().unwrap_err().setting, setting, "{range:?}");
        }
    }

    #[test]
    fn the_mean_has_no_bias() {
        // Of equal losses it is that loss from the first on.
        for smoothing in [0.0, 0.9, 0.99] {
            for point in curve(smoothing, &[3.0; 20]).points {
                assert!((point.smoothed - 3.0).abs() < 1e-12, "{smoothing}: {point:?}");
            }
        }
        let smoothed: Vec<f64> = curve(0.5, &[1.0, 2.0, 4.0]).points.iter().map(|p| p.smoothed).collect();
        assert_eq!(smoothed, [1.0, (0.25 + 1.0) / 0.75, (0.125 + 0.5 + 2.0) / 0.875]);
    }

    #[test]
    fn a_curve_ends_where_it_diverges() {
        // (smoothing, losses, points, end)
        let rows: [(f64, &[f32], usize, CurveEnd); 5] = [
            (0.0, &[1.0, 1.0, 4.0, 3.0], 4, CurveEnd::AllTried),
            (0.0, &[1.0, 1.0, 4.1, 3.0], 3, CurveEnd::Diverged),
            (0.0, &[1.0, f32::NAN, 1.0], 1, CurveEnd::NotFinite),
            (0.9, &[f32::INFINITY, 1.0], 0, CurveEnd::NotFinite),
            (0.5, &[1.0, 10.0, 1.0], 2, CurveEnd::Diverged),
        ];
        for (smoothing, losses, points, end) in rows {
            let found = curve(smoothing, losses);
            assert_eq!((found.points.len(), found.end), (points, end), "{smoothing} {losses:?}");
        }
    }

    #[test]
    fn the_smaller_rate_is_suggested() {
        // Unsmoothed, the loss falls fastest at batch 60 and is least at 80 of 100: rates 1e-7 * 10^(7 * 60 / 99).
        let found = curve(0.0, &valley(100)).suggestion().unwrap();
        assert!((found.steepest / 1.7433e-3 - 1.0).abs() < 0.2, "{found:?}");
        assert!((found.least / 4.5349e-2 - 1.0).abs() < 0.2, "{found:?}");
        assert!(!found.still_falling);
        assert_eq!(found.learning_rate, two_digits(f64::from(found.steepest)), "{found:?}");
        // A cliff right before the least loss: a tenth of that rate is less.
        let mut cliff = vec![2.0; 100];
        cliff[90..].fill(0.5);
        let found = curve(0.0, &cliff).suggestion().unwrap();
        assert_eq!(found.learning_rate, two_digits(found.bound), "{found:?}");
        assert!(found.bound < f64::from(found.steepest), "{found:?}");
        // Smoothing moves both to larger rates, by about as many batches as it keeps.
        let smooth = curve(0.9, &valley(100)).suggestion().unwrap();
        let moved = (smooth.steepest / 1.7433e-3).log10() * 99.0 / 7.0;
        assert!((3.0..12.0).contains(&moved), "{smooth:?}: {moved} batches");
        // A loss that falls to the end.
        let falling: Vec<f32> = (0..100).map(|n| 2.0 - 0.01 * n as f32).collect();
        assert!(curve(0.9, &falling).suggestion().unwrap().still_falling);
    }

    #[test]
    fn a_picture_ends_above_what_comes_before_the_least_loss() {
        let rows: [(&[f32], f64); 4] =
            [(&[], 0.0), (&[2.0], 2.0), (&[2.0, 2.5, 1.0, 3.9], 2.5), (&[1.0, 3.0], 1.0)];
        for (losses, top) in rows {
            assert_eq!(top_of_curve(&curve(0.0, losses).points), top, "{losses:?}");
        }
    }

    #[test]
    fn what_does_not_fall_suggests_nothing() {
        let noisy: Vec<f32> = (0..100).map(|n| 2.0 + 0.1 * ((n * 7919 % 13) as f32 - 6.0) / 6.0).collect();
        let rising: Vec<f32> = (0..100).map(|n| if n < 50 { 2.0 } else { n as f32 }).collect();
        let rows: [(&[f32], &str); 7] = [
            (&[], "0 batches are too few"),
            (&[1.0; 19], "19 batches are too few"),
            (&[1.0; 100], "no more than its noise"),
            (&noisy, "no more than its noise"),
            (&rising, "diverged"),
            (&[1.0, 2.0, f32::NAN], "diverged after 2 batches"),
            (&[f32::NAN], "the first loss is not finite"),
        ];
        for (losses, said) in rows {
            let found = curve(0.9, losses).suggestion().map_err(|error| error.to_string());
            assert!(found.as_ref().is_err_and(|text| text.contains(said)), "{said}: {found:?}");
        }
    }
}
