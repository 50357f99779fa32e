//! A curve that grows: a bounded number of points, however long training runs.

/// The most points; two neighbours become one when there are more.
const MOST: usize = 1024;
/// How much of the smoothed value stays from one step to the next.
const STAYS: f64 = 0.95;

/// One point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The last step that it stands for.
    pub step: usize,
    /// The mean of its values.
    pub raw: f64,
    /// The exponential mean up to its last value.
    pub smoothed: f64,
}

/// A value for each step, the smoothed one beside it.
///
/// After n values `v_1 ... v_n` the smoothed one is `sum 0.95^(n-i) v_i / sum 0.95^(n-i)`. Values that are not finite are left out.
#[derive(Debug, Clone)]
pub struct Series {
    points: Vec<Point>,
    /// Values to a point.
    each: usize,
    /// Values of the last point.
    filled: usize,
    /// The two sums of the smoothed value.
    sums: [f64; 2],
    last: Option<f64>,
}

impl Default for Series {
    fn default() -> Self {
        Series { points: Vec::new(), each: 1, filled: 0, sums: [0.0; 2], last: None }
    }
}

impl Series {
    /// Adds the value of a step; steps increase.
    pub fn push(&mut self, step: usize, value: f64) {
        self.last = Some(value);
        if !value.is_finite() {
            return;
        }
        self.sums = [self.sums[0] * STAYS + value, self.sums[1] * STAYS + 1.0];
        let smoothed = self.sums[0] / self.sums[1];
        match self.points.last_mut().filter(|_| self.filled < self.each) {
            Some(point) => {
                self.filled += 1;
                let raw = point.raw + (value - point.raw) / self.filled as f64;
                *point = Point { step, raw, smoothed };
            }
            None => {
                self.halve();
                self.points.push(Point { step, raw: value, smoothed });
                self.filled = 1;
            }
        }
    }

    /// The last value, finite or not.
    pub fn last(&self) -> Option<f64> {
        self.last
    }

    /// In the order of their steps.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Makes room for a point.
    fn halve(&mut self) {
        if self.points.len() < MOST {
            return;
        }
        let merged = self.points.chunks(2).map(|pair| {
            let last = pair[pair.len() - 1];
            Point { raw: pair.iter().map(|point| point.raw).sum::<f64>() / pair.len() as f64, ..last }
        });
        self.points = merged.collect();
        self.each *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smoothed_value_is_a_mean_from_the_first_value_on() {
        let mut series = Series::default();
        series.push(1, 2.0);
        assert_eq!(series.points(), [Point { step: 1, raw: 2.0, smoothed: 2.0 }]);
        series.push(2, 1.0);
        let expected = (2.0 * 0.95 + 1.0) / 1.95;
        assert!((series.points()[1].smoothed - expected).abs() < 1e-12);
        series.push(3, f64::NAN);
        assert_eq!(series.points().len(), 2);
        assert!(series.last().is_some_and(f64::is_nan));
    }

    #[test]
    fn a_long_curve_keeps_its_ends_and_its_mean() {
        let mut series = Series::default();
        let steps = 10 * MOST + 3;
        for step in 1..=steps {
            series.push(step, step as f64);
        }
        let points = series.points();
        assert!(points.len() <= MOST && points.len() > MOST / 4, "{}", points.len());
        assert!(points.is_sorted_by(|a, b| a.step < b.step));
        let last = points[points.len() - 1];
        assert_eq!(last.step, steps);
        assert!(points[0].step <= 16, "{:?}", points[0]);
        // Each raw value is the mean of the steps that its point stands for.
        for pair in points.windows(2) {
            let mean = (pair[0].step + 1 + pair[1].step) as f64 / 2.0;
            assert!((pair[1].raw - mean).abs() < 1e-6, "{pair:?}");
        }
    }
}
