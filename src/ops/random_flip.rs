use super::kit::*;
use crate::random::{Purpose, philox4x32};

/// In training, images of which about half are mirrored; else the same images: `y[n, h, w, c] = x[n, h', w', c]`, where for an image that
/// is mirrored `h'` is `height - 1 - h` if vertical, and `w'` is `width - 1 - w` if horizontal.
///
/// Image n is mirrored where the highest bit of word 0 of the generator's block `(n, step, layer, Purpose::Flip)` under the run's
/// seed is set: the step draws once for both directions, as Keras does. A mirrored image mirrored again is the image: the gradient
/// of x is the same op of that of y. x and y `[batch, height, width, channels]`.
/// Source: `keras/src/layers/preprocessing/image_preprocessing/random_flip.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct RandomFlip {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// The layer's place in the network: layers draw apart from one another.
    pub layer: usize,
    /// Whether left and right are exchanged.
    pub horizontal: bool,
    /// Whether top and bottom are exchanged.
    pub vertical: bool,
}

impl RandomFlip {
    /// Iterations of the generator of draws.
    const ROUNDS: usize = 10;

    fn x(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    /// Whether a step mirrors image n.
    fn mirrors(&self, batch: &BatchParams, n: usize) -> bool {
        let counter = [n as u32, batch.number, self.layer as u32, Purpose::Flip as u32];
        let [word, ..] = philox4x32(counter, [batch.seed_low, batch.seed_high]);
        batch.training == 1 && word >> 31 == 1
    }
}

impl OpKind for RandomFlip {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/random_flip.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.channels.is_multiple_of(4)),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "random_flip"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.x()), written("y", &self.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        0
    }

    fn longest_loop(&self) -> usize {
        Self::ROUNDS
    }

    fn constants(&self) -> Constants {
        constants! {
            "HEIGHT" => self.height,
            "WIDTH_PIXELS" => self.width,
            "CHANNELS" => self.channels,
            "LAYER" => self.layer,
            "PURPOSE" => Purpose::Flip as usize,
            "HORIZONTAL" => self.horizontal,
            "VERTICAL" => self.vertical,
        }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        let [_, height, width, channels] = self.x();
        let image = height * width * channels;
        each_piece_by(y, image, x, image, &|n, y, x| {
            let mirrors = self.mirrors(batch, n);
            for (at, y) in y.chunks_mut(channels).enumerate() {
                let (mut h, mut w) = (at / width, at % width);
                if mirrors && self.vertical {
                    h = height - 1 - h;
                }
                if mirrors && self.horizontal {
                    w = width - 1 - w;
                }
                y.copy_from_slice(&x[(h * width + w) * channels..][..channels]);
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        let direction = match (self.horizontal, self.vertical) {
            (true, true) => "both ways",
            (true, false) => "horizontal",
            (false, true) => "vertical",
            (false, false) => "not at all",
        };
        format!("x {:?}, layer {}, {direction}", self.x(), self.layer)
    }

    fn cases() -> Vec<Case<Self>> {
        let case =
            |[batch, height, width, channels]: [usize; 4], layer, [horizontal, vertical]: [bool; 2]| {
                Case::of(RandomFlip { batch, height, width, channels, layer, horizontal, vertical })
            };
        let [both, across, down] = [[true, true], [true, false], [false, true]];
        vec![
            case([64, 28, 28, 1], 0, across).training(0),
            case([64, 28, 28, 1], 0, across).training(u32::MAX),
            case([64, 13, 13, 32], 3, both).training(70_000),
            case([8, 5, 7, 3], 1, down).training(2),
            case([9, 4, 6, 4], 300, across).training(12),
            case([9, 4, 6, 12], 2, down).training(7),
            case([1, 1, 1, 1], 0, both).training(1),
            case([6, 17, 19, 5], 1, both).training(3).folded(),
            case([6, 17, 19, 12], 1, both).training(4).folded(),
            case([7, 5, 3, 3], 1, both),
            case([7, 5, 3, 4], 1, both),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(layer: usize, [horizontal, vertical]: [bool; 2]) -> RandomFlip {
        RandomFlip { batch: 2000, height: 2, width: 3, channels: 1, layer, horizontal, vertical }
    }

    fn step(number: u32, seed_low: u32) -> BatchParams {
        BatchParams { training: 1, number, seed_low, ..BatchParams::default() }
    }

    /// What becomes of the image 1 2 3 / 4 5 6, and that twice is not at all.
    #[test]
    fn an_image_is_as_it_was_or_mirrored() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let rows = [
            ([true, false], [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]),
            ([false, true], [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]),
            ([true, true], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
        ];
        for (directions, mirrored) in rows {
            let op = op(4, directions);
            let x: Vec<f64> = image.repeat(op.batch);
            let [mut y, mut back] = [(); 2].map(|()| vec![0.0; x.len()]);
            op.twin(&step(5, 9), &mut [Arg::In(&x), Arg::Out(&mut y)]).unwrap();
            for (n, y) in y.chunks(image.len()).enumerate() {
                let expected = if op.mirrors(&step(5, 9), n) { mirrored } else { image };
                assert_eq!(y, expected, "{directions:?}, image {n}");
            }
            op.twin(&step(5, 9), &mut [Arg::In(&y), Arg::Out(&mut back)]).unwrap();
            assert_eq!(back, x, "{directions:?}");
        }
    }

    /// Half of the images are mirrored, and which has nothing to do with neighbours, steps, seeds and layers: each count is within
    /// five of its deviations.
    #[test]
    fn draws_are_even_and_independent() {
        let drawn = |layer, number, seed| -> Vec<bool> {
            let op = op(layer, [true, false]);
            (0..op.batch).map(|n| op.mirrors(&step(number, seed), n)).collect()
        };
        let first = drawn(1, 5, 9);
        let neighbour: Vec<bool> = first[1..].to_vec();
        let rows = [
            ("none", vec![false; first.len()]),
            ("the next image", neighbour),
            ("the next step", drawn(1, 6, 9)),
            ("another seed", drawn(1, 5, 8)),
            ("another layer", drawn(2, 5, 9)),
        ];
        for (what, other) in rows {
            let alike = first.iter().zip(&other).filter(|(a, b)| a == b).count() as f64;
            let n = other.len() as f64;
            assert!((alike - n / 2.0).abs() < 5.0 * n.sqrt() / 2.0, "{what}: {alike} of {n} alike");
        }
        let still = BatchParams { training: 0, ..step(5, 9) };
        assert!((0..100).all(|n| !op(1, [true, true]).mirrors(&still, n)), "in evaluation");
    }
}
