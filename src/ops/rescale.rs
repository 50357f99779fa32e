use super::activation::cases;
use super::kit::*;

/// `y = x * scale + offset`, element by element.
///
/// x and y `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Rescale {
    pub len: usize,
    pub scale: f32,
    pub offset: f32,
}

impl OpKind for Rescale {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("activations/rescale.wgsl"),
        elements: &[Element::Real; 2],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "rescale"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.len]), written("y", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        2 * self.len
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "SCALE" => self.scale, "OFFSET" => self.offset }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        let [scale, offset] = [self.scale, self.offset].map(|number| T::of(f64::from(number)));
        for (y, &x) in y.iter_mut().zip(*x) {
            *y = x * scale + offset;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements, {:e} x + {:e}", self.len, self.scale, self.offset)
    }

    fn cases() -> Vec<Case<Self>> {
        let op = |scale, offset| move |len| Rescale { len, scale, offset };
        [cases(op(1.0 / 255.0, 0.0)), cases(op(-2.5, 1.0))].concat()
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Rescale { scale, offset, .. } = trial.case.op;
        let y = |x: f64| Rough { value: x, error: 0.0 } * Rough::exact(scale) + Rough::exact(offset);
        Ok(trial.last_each(|[x, _]| y(x).error))
    }
}
