use super::kit::*;

/// `x[i, p] = scale[images[order[first + i], p]]` for `i < batch_size`, else 0: bytes through a table.
///
/// Images `[samples, image_stride(pixels)]` bytes, order `[_]`, scale `[256]`, x `[batch, pixels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct GatherImages {
    pub batch: usize,
    pub pixels: usize,
}

impl OpKind for GatherImages {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/gather_images.wgsl"),
        elements: &[Element::U32, Element::U32, Element::F32, Element::F32],
        reads_batch: true,
        invocations: |op, _| op.batch * image_stride(op.pixels) / size_of::<u32>(),
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "gather_images"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let GatherImages { batch, pixels } = *self;
        vec![images(pixels), order(), read("scale", &[256]), written("x", &[batch, pixels])]
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
        constants! { "PIXELS" => self.pixels, "STRIDE_WORDS" => stride_words(self.pixels) }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::Bytes(images), Arg::InU32(order), Arg::In(scale), Arg::Out(x)] = args else {
            return Err(OtherArguments);
        };
        gather_images(self.pixels, batch, images, order, scale, x);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} images of {} bytes", self.batch, self.pixels)
    }

    fn cases() -> Vec<Case<Self>> {
        let images = |batch, pixels| Case::of(GatherImages { batch, pixels });
        vec![
            images(64, 784),
            images(64, 784).batch(23, 640, 3),
            images(1, 1),
            images(3, 5),
            images(7, 27).batch(4, 9, 0),
            images(2, 130),
            images(5, 3072).folded(),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// The images of a data set.
pub(super) fn images(pixels: usize) -> ArgSpec {
    arg("images", Access::In, Dtype::Bytes, &[DATA, image_stride(pixels)]).by(Extent::Samples)
}

/// The order in which samples are taken.
pub(super) fn order() -> ArgSpec {
    arg("order", Access::In, Dtype::U32, &[DATA]).by(Extent::Order)
}

/// Words from one image of a data set to the next.
pub(super) fn stride_words(pixels: usize) -> usize {
    image_stride(pixels) / size_of::<u32>()
}

/// The table `x / 255` for every byte: exact division on the host, since no shader's division is.
pub fn byte_scale() -> [f32; 256] {
    std::array::from_fn(|byte| byte as f32 / 255.0)
}

/// Each byte as it is, exact: what models take that scale bytes themselves.
pub fn byte_values() -> [f32; 256] {
    std::array::from_fn(|byte| byte as f32)
}

pub(super) fn gather_images<T: Real>(
    pixels: usize,
    batch: &BatchParams,
    images: &[u8],
    order: &[u32],
    scale: &[T],
    x: &mut [T],
) {
    let stride = image_stride(pixels);
    each_piece(x, pixels, &|i, row| {
        if i >= batch.batch_size as usize {
            row.fill(T::zero());
            return;
        }
        let sample = order[batch.first as usize + i] as usize;
        let image = &images[sample * stride..][..pixels];
        for (value, &byte) in row.iter_mut().zip(image) {
            *value = scale[byte as usize];
        }
    });
}
