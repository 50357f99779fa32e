use super::gather_images::{byte_scale, gather_images, images, order, stride_words};
use super::kit::*;
use super::one_hot::{TargetColumns, label_input, labels, one_hot};

/// [`GatherImages`](super::GatherImages) with a scale of `b / 255`, and [`OneHot`](super::OneHot).
///
/// Images `[samples, image_stride(pixels)]` bytes, labels `[samples]`, order `[_]`, x `[batch, pixels]`, one_hot
/// `[batch, classes]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct GatherBatch {
    pub batch: usize,
    pub pixels: usize,
    pub columns: TargetColumns,
}

impl OpKind for GatherBatch {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/gather_batch.wgsl"),
        elements: &[Element::U32, Element::U32, Element::U32, Element::Real, Element::F32],
        reads_batch: true,
        by_four: Some(|op| op.pixels.is_multiple_of(4)),
        invocations: |op, width| op.batch * (op.pixels / width + op.columns.classes),
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "gather_batch"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let GatherBatch { batch, pixels, columns } = *self;
        vec![
            images(pixels),
            labels(),
            order(),
            written("x", &[batch, pixels]),
            written("one_hot", &[batch, columns.classes]),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        0
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let images = constants! {
            "BATCH" => self.batch,
            "PIXELS" => self.pixels,
            "STRIDE_WORDS" => stride_words(self.pixels),
        };
        [images, self.columns.constants()].concat()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::Bytes(images), Arg::InU32(labels), Arg::InU32(order), Arg::Out(x), Arg::Out(target)] = args
        else {
            return Err(OtherArguments);
        };
        let scale = byte_scale().map(|quotient| T::of(f64::from(quotient)));
        gather_images(self.pixels, batch, images, order, &scale, x);
        one_hot(&self.columns, batch, labels, order, target);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} images of {} bytes, {}", self.batch, self.pixels, self.columns.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let case = |batch, pixels, columns| Case::of(GatherBatch { batch, pixels, columns });
        let both = |batch, pixels, classes| case(batch, pixels, TargetColumns::all(classes));
        vec![
            both(64, 784, 10),
            both(64, 784, 10).batch(23, 640, 3),
            both(1, 1, 2),
            both(7, 27, 3).batch(4, 9, 0),
            both(3, 129, 4).folded(),
            both(5, 3072, 130).folded(),
            both(13, 8, 256),
            case(30, 12, TargetColumns::second()).batch(29, 1, 0),
            case(21, 16, TargetColumns::all(3).smoothed([0.8, 0.1])).batch(19, 2, 1),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let columns = draw.case.op.columns;
        label_input(draw, columns)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gather_batch.wgsl` computes in place of a division, its sum fused with a product or not.
    #[test]
    fn the_shaders_sum_is_the_quotient_of_every_byte() {
        for (byte, expected) in (0u32..).zip(byte_scale()) {
            let whole = (byte * 65_793) as f32 * (-24f32).exp2();
            let (b, small) = (byte as f32, (-24f32).exp2() / 255.0);
            let sums = [whole + b * small, b.mul_add(small, whole)];
            assert_eq!(sums.map(f32::to_bits), [expected.to_bits(); 2], "{byte}");
        }
    }
}
