use super::Function;
use super::relu::Relu;
use crate::ops::kit::*;

/// An activation in place: `y = f(y)`, element by element.
///
/// y `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationForward {
    /// Number of elements.
    pub len: usize,
    /// The function.
    pub function: Function,
}

impl OpKind for ActivationForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/activation_forward.wgsl"),
        function: |op| Some(op.function.shader()),
        elements: &[Element::Real],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        self.function.names().forward
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![changed("y", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.function.flops()[0] * self.len
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
        let [Arg::Out(y)] = args else { return Err(OtherArguments) };
        self.function.values(y);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements{}", self.len, self.function.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let relu = |len| Case::of(ActivationForward { len, function: Relu.into() });
        // The tutorial's convolution, and 65,537 groups of 64.
        let mut table = vec![relu(1_384_448), relu(4_194_308)];
        for function in Function::samples() {
            table.extend(cases(|len| ActivationForward { len, function }));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        // Both zeros and every bend, on purpose.
        let bends = draw.case.op.function.bends().iter().copied().filter(|&place| place != 0.0);
        draw.with(&[0.0].into_iter().chain(bends).collect::<Vec<f64>>())
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let function = trial.case.op.function;
        Ok(trial.last_each(|[x, _]| function.value_bound(x)))
    }

    fn kinks(&self, args: &[&[f64]]) -> Kinks {
        Kinks::at(args[0], self.function.bends())
    }
}

/// By four and not, over several groups, folded, and both zeros; far from 0 for functions that saturate or bend there.
pub(in crate::ops) fn cases<O: OpKind>(op: impl Fn(usize) -> O) -> Vec<Case<O>> {
    let case = |len| Case::of(op(len));
    let mut table = [1, 4, 65, 256, 4100].map(case).to_vec();
    for len in [3000, 3001] {
        table.push(case(len).folded());
    }
    table.push(case(4096).with(Numbers::Eighths));
    table.push(case(1003).with(Numbers::Large));
    for len in [3, 5, 63, 64] {
        table.push(case(len));
    }
    table.push(case(1004).with(Numbers::Large));
    table
}
