use super::Function;
use super::forward::cases;
use super::relu::Relu;
use crate::ops::kit::*;

/// The gradient of an activation, in place of that of its output.
///
/// at and dy `[len]`; at is the activation's output or its input, as the function says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationBackward {
    /// Number of elements.
    pub len: usize,
    /// The function.
    pub function: Function,
}

impl OpKind for ActivationBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/activation_backward.wgsl"),
        function: |op| Some(op.function.shader()),
        elements: &[Element::Real, Element::Real],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        self.function.names().backward
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("at", &[self.len]), changed("dy", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.function.flops()[1] * self.len
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        self.function.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(at), Arg::Out(dy)] = args else { return Err(OtherArguments) };
        self.function.gradients(at, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements{}", self.len, self.function.title())
    }

    fn cases() -> Vec<Case<Self>> {
        // The tutorial's convolution.
        let relu = ActivationBackward { len: 1_384_448, function: Relu.into() };
        let mut table = vec![Case::of(relu)];
        for function in Function::samples() {
            table.extend(cases(|len| ActivationBackward { len, function }));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        // What is read at the bends, on purpose, under gradients that are not zero.
        match draw.spec.access {
            Access::In => draw.with(&draw.case.op.function.at_bends()),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let function = trial.case.op.function;
        Ok(trial.last_each(|[at, dy]| function.gradient_bound(at, dy)))
    }
}
