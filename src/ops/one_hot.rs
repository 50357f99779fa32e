use super::gather_images::order;
use super::kit::*;

/// `one_hot[i, c] = on` where `c + first_class = labels[order[first + i]]`, else off, for `i < batch_size`; rows past it are 0.
///
/// Labels `[samples]`, order `[_]`, one_hot `[batch, classes]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "batch and columns are named in the formula")]
pub struct OneHot {
    pub batch: usize,
    pub columns: TargetColumns,
}

/// The columns of a one-hot target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetColumns {
    /// How many there are: a class each.
    pub classes: usize,
    /// The class of the first. It is 1 where a single column stands for the second of two classes.
    pub first_class: usize,
    /// What stands at the class of a sample: 1, unless targets are smoothed.
    pub on: f32,
    /// What stands at the other classes: 0, unless targets are smoothed.
    pub off: f32,
}

impl TargetColumns {
    /// Of each of so many classes.
    pub fn all(classes: usize) -> Self {
        TargetColumns { classes, first_class: 0, on: 1.0, off: 0.0 }
    }

    /// Of class 1 alone, of two.
    pub fn second() -> Self {
        TargetColumns { first_class: 1, ..TargetColumns::all(1) }
    }

    /// With these values at the class of a sample and elsewhere.
    pub fn smoothed(self, [on, off]: [f32; 2]) -> Self {
        TargetColumns { on, off, ..self }
    }

    pub(super) fn constants(&self) -> Constants {
        constants! {
            "CLASSES" => self.classes,
            "FIRST_CLASS" => self.first_class,
            "ON" => self.on,
            "OFF" => self.off,
        }
    }

    pub(super) fn title(&self) -> String {
        let TargetColumns { classes, first_class, on, off } = *self;
        let first = if first_class == 0 { String::new() } else { format!(" from {first_class} on") };
        let smoothed = if off == 0.0 { String::new() } else { format!(", {on} and {off}") };
        format!("{classes} classes{first}{smoothed}")
    }
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
        vec![labels(), order(), written("one_hot", &[self.batch, self.columns.classes])]
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
        self.columns.constants()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::InU32(labels), Arg::InU32(order), Arg::Out(target)] = args else {
            return Err(OtherArguments);
        };
        one_hot(&self.columns, batch, labels, order, target);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} labels of {}", self.batch, self.columns.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let case = |batch, columns| Case::of(OneHot { batch, columns });
        let labels = |batch, classes| case(batch, TargetColumns::all(classes));
        vec![
            labels(64, 10),
            labels(64, 10).batch(23, 640, 3),
            labels(1, 2),
            labels(5, 3).batch(2, 1, 1),
            labels(13, 256).folded(),
            labels(9, 70_000),
            // 4,300,000 elements: 67,188 groups of 64.
            labels(4300, 1000).batch(4299, 2, 0),
            case(70, TargetColumns::second()).batch(66, 3, 1),
            case(20, TargetColumns::all(5).smoothed([0.92, 0.02])).batch(18, 5, 2),
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

/// The labels of a data set.
pub(super) fn labels() -> ArgSpec {
    arg("labels", Access::In, Dtype::U32, &[DATA]).by(Extent::Samples)
}

/// Labels of these classes and those before; other arguments are plain.
pub(super) fn label_input<O>(draw: &mut Draw<'_, O>, columns: TargetColumns) -> Values {
    match draw.spec.name {
        "labels" => draw.integers((columns.first_class + columns.classes) as u32),
        _ => draw.plain(),
    }
}

pub(super) fn one_hot<T: Real>(
    columns: &TargetColumns,
    batch: &BatchParams,
    labels: &[u32],
    order: &[u32],
    target: &mut [T],
) {
    target.fill(T::zero());
    for (i, target) in target.chunks_mut(columns.classes).take(batch.batch_size as usize).enumerate() {
        let sample = order[batch.first as usize + i] as usize;
        for (c, target) in target.iter_mut().enumerate() {
            let is_class = c + columns.first_class == labels[sample] as usize;
            *target = T::of(f64::from(if is_class { columns.on } else { columns.off }));
        }
    }
}
