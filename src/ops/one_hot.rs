use super::gather_images::order;
use super::kit::*;

/// `one_hot[i, c] = 1` where `c = labels[order[first + i]]` and `i < batch_size`, else 0.
///
/// Labels `[samples]` bytes, order `[_]`, one_hot `[batch, classes]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct OneHot {
    pub batch: usize,
    pub classes: usize,
}

impl OpKind for OneHot {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/one_hot.wgsl"),
        elements: &[Element::U32, Element::U32, Element::F32],
        reads_batch: true,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "one_hot"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![labels(), order(), written("one_hot", &[self.batch, self.classes])]
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
        constants! { "CLASSES" => self.classes }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::Bytes(labels), Arg::InU32(order), Arg::Out(target)] = args else {
            return Err(OtherArguments);
        };
        one_hot(self.classes, batch, labels, order, target);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} labels of {} classes", self.batch, self.classes)
    }

    fn cases() -> Vec<Case<Self>> {
        let labels = |batch, classes| Case::of(OneHot { batch, classes });
        vec![
            labels(64, 10),
            labels(64, 10).batch(23, 640, 3),
            labels(1, 2),
            labels(5, 3).batch(2, 1, 1),
            labels(13, 256).folded(),
            // 4,300,000 elements: 67,188 groups of 64.
            labels(4300, 1000).batch(4299, 2, 0),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let classes = draw.case.op.classes;
        label_input(draw, classes)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// The labels of a data set.
pub(super) fn labels() -> ArgSpec {
    arg("labels", Access::In, Dtype::Bytes, &[DATA]).by(Extent::Samples)
}

/// Labels of so many classes; other arguments are plain.
pub(super) fn label_input<O>(draw: &mut Draw<'_, O>, classes: usize) -> Values {
    match draw.spec.name {
        "labels" => draw.bytes(classes.min(256) as u32),
        _ => draw.plain(),
    }
}

pub(super) fn one_hot<T: Real>(
    classes: usize,
    batch: &BatchParams,
    labels: &[u8],
    order: &[u32],
    target: &mut [T],
) {
    target.fill(T::zero());
    for i in 0..batch.batch_size as usize {
        let sample = order[batch.first as usize + i] as usize;
        target[i * classes + labels[sample] as usize] = T::one();
    }
}
