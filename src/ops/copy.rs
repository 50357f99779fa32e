use super::activation::cases;
use super::kit::*;

/// The same values again, for a step in place whose input is still needed: `y = x`.
///
/// x and y `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Copy {
    pub len: usize,
}

impl OpKind for Copy {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/copy.wgsl"),
        elements: &[Element::Real, Element::Real],
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "copy"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.len]), written("y", &[self.len])]
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
        Vec::new()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        y.copy_from_slice(x);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|len| Copy { len })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

fn fast(_: &Copy, _: &BatchParams, args: &mut [Arg<'_, f32>], _: &mut Scratch) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    change_by(x, y, |x: f32, _| x);
    Ok(())
}
