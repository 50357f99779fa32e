use super::activation::cases;
use super::kit::*;

/// `y = a * b`, element by element.
///
/// All `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Multiply {
    pub len: usize,
}

impl OpKind for Multiply {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("merging/multiply.wgsl"),
        elements: &[Element::Real; 3],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "multiply"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("a", &[self.len]), read("b", &[self.len]), written("y", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        Vec::new()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(a), Arg::In(b), Arg::Out(y)] = args else { return Err(OtherArguments) };
        for ((y, &a), &b) in y.iter_mut().zip(*a).zip(*b) {
            *y = a * b;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|len| Multiply { len })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}
