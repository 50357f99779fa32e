//! Pictures at another size.

/// One value per pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub height: usize,
    pub width: usize,
    /// `[height, width]`.
    pub values: Vec<f32>,
}

impl Plane {
    /// The rectangle of size `[height, width]` with its corner at `[top, left]`; it must lie inside.
    pub fn part(&self, [top, left]: [usize; 2], [height, width]: [usize; 2]) -> Plane {
        let row = |y: usize| &self.values[(top + y) * self.width + left..][..width];
        Plane { height, width, values: (0..height).flat_map(row).copied().collect() }
    }
}

/// The plane at the size `[height, width]`: each output is a weighted mean of the inputs around its place. The
/// weights fall linearly to 0 at a distance of one output pixel, or of one input pixel where the plane grows.
pub fn resample(plane: &Plane, to: [usize; 2]) -> Plane {
    resample_rows([plane.height, plane.width], to, |y, row| {
        row.copy_from_slice(&plane.values[y * plane.width..][..plane.width]);
    })
}

/// [`resample`] for a plane of size `from` that is given row by row, from the top: only the result and one row are
/// held.
pub fn resample_rows(
    from: [usize; 2],
    [height, width]: [usize; 2],
    mut fill: impl FnMut(usize, &mut [f32]),
) -> Plane {
    let across = whole(from[1], width);
    let down = whole(from[0], height);
    let mut row = vec![0.0; from[1]];
    let mut narrow = vec![0.0; width];
    let mut values = vec![0.0; height * width];
    // Outputs whose inputs have ended.
    let mut done = 0;
    for y in 0..from[0] {
        fill(y, &mut row);
        for (value, tap) in narrow.iter_mut().zip(&across) {
            *value = tap.mean(|at| row[at]);
        }
        while down.get(done).is_some_and(|tap| tap.first + tap.weights.len() <= y) {
            done += 1;
        }
        for (output, tap) in down.iter().enumerate().skip(done).take_while(|(_, tap)| tap.first <= y) {
            if let Some(weight) = tap.weights.get(y - tap.first) {
                let line = &mut values[output * width..][..width];
                line.iter_mut().zip(&narrow).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
    Plane { height, width, values }
}

/// The inputs of one output.
pub struct Tap {
    pub first: usize,
    /// They sum to 1.
    pub weights: Vec<f32>,
}

impl Tap {
    /// Behind the last input.
    pub fn end(&self) -> usize {
        self.first + self.weights.len()
    }

    fn mean(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.weights.iter().zip(self.first..).map(|(weight, at)| weight * value(at)).sum()
    }
}

/// For each of `to` outputs along an axis of `from` inputs.
fn whole(from: usize, to: usize) -> Vec<Tap> {
    taps(from, 0.0, from as f64 / to as f64, to)
}

/// For each of `to` outputs along an axis of `from` inputs, of which they stand for `scale` each, beginning behind the first
/// `start`.
pub fn taps(from: usize, start: f64, scale: f64, to: usize) -> Vec<Tap> {
    let reach = scale.max(1.0);
    let tap = |output: usize| {
        let centre = start + (output as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let end = ((centre + reach).ceil() as usize).min(from);
        let weight = |at: usize| (1.0 - ((at as f64 + 0.5) - centre).abs() / reach).max(0.0);
        let sum: f64 = (first..end).map(weight).sum();
        Tap { first, weights: (first..end).map(|at| (weight(at) / sum) as f32).collect() }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(height: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> Plane {
        let values = (0..height).flat_map(|y| (0..width).map(|x| value(y, x)).collect::<Vec<_>>()).collect();
        Plane { height, width, values }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let given = plane(3, 5, |y, x| (y * 5 + x) as f32);
        assert_eq!(resample(&given, [3, 5]), given);
    }

    #[test]
    fn what_is_even_stays_even_at_any_size() {
        for size in [[1, 1], [2, 9], [7, 3], [40, 50], [64, 2]] {
            let made = resample(&plane(16, 11, |_, _| 0.75), size);
            assert_eq!([made.height, made.width], size);
            assert_eq!(made.values.len(), size[0] * size[1]);
            assert!(made.values.iter().all(|value| (value - 0.75).abs() < 1e-6), "{size:?}");
        }
    }

    #[test]
    fn a_slope_keeps_its_direction_and_its_middle() {
        for size in [[4, 8], [16, 30]] {
            let made = resample(&plane(8, 16, |_, x| x as f32), size);
            let row = &made.values[..size[1]];
            assert!(row.windows(2).all(|pair| pair[0] <= pair[1]), "{row:?}");
            let mean = row.iter().sum::<f32>() / row.len() as f32;
            assert!((mean - 7.5).abs() < 1e-4, "{mean}");
        }
    }

    #[test]
    fn fine_stripes_become_grey() {
        let made = resample(&plane(64, 64, |_, x| (x % 2) as f32), [8, 8]);
        // Eight stripes per output and a window of two outputs: their remainder is below 1/8 at the edges.
        assert!(made.values.iter().all(|value| (value - 0.5).abs() < 0.125), "{:?}", made.values);
    }
}
