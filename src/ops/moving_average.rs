use super::kit::*;
use crate::optimizers::Ema;

/// The moving average of the parameter arena after its update; the formula stands with [`Ema`].
///
/// Nothing where the tripwire forbids it.
///
/// loss `[_]`, tripwire `[1]`; average and parameter `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct MovingAverage {
    pub len: usize,
    pub ema: Ema,
}

impl OpKind for MovingAverage {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/moving_average.wgsl"),
        elements: &[Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "moving_average"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let mut args = guards().to_vec();
        args.extend([changed("average", &[self.len]), changed("parameter", &[self.len])]);
        args
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len * 3
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let [momentum, rest] = self.factors();
        constants! {
            "MOMENTUM" => momentum,
            "REST" => rest,
            "OVERWRITES" => self.ema.overwrite_frequency.is_some(),
            "FREQUENCY" => self.ema.overwrite_frequency.unwrap_or(1) as usize,
        }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(loss), Arg::OutU32(tripwire), Arg::Out(average), Arg::Out(parameter)] = args else {
            return Err(OtherArguments);
        };
        if held(batch, loss, tripwire) {
            return Ok(());
        }
        let [momentum, rest] = self.factors().map(|factor| T::of(f64::from(factor)));
        each_pair(average, PIECE, parameter, PIECE, &|_, average, parameter| {
            for (average, parameter) in average.iter_mut().zip(parameter) {
                *average = match batch.number {
                    0 => *parameter,
                    _ => *average * momentum + *parameter * rest,
                };
                if self.overwrites(batch) {
                    *parameter = *average;
                }
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        let Ema { momentum, overwrite_frequency } = self.ema;
        let every = overwrite_frequency.map_or(String::new(), |every| format!(", overwrites every {every}"));
        format!("{} parameters, momentum {momentum:e}{every}", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        let of = |len, momentum, overwrite_frequency| {
            Case::of(MovingAverage { len, ema: Ema { momentum, overwrite_frequency } })
        };
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            // Of the first step, where nothing stays, and of a later one.
            table.push(of(len, 0.99, None));
            for number in [1, 5] {
                for overwrite_frequency in [None, Some(1), Some(3)] {
                    table.push(of(len, 0.99, overwrite_frequency).training(number));
                }
            }
        }
        for momentum in [0.0, 0.5, 1.0] {
            table.push(of(260, momentum, None).training(7));
        }
        for len in [3000, 3001] {
            table.push(of(len, 0.9, Some(2)).training(3).folded());
        }
        for len in [67, 1028] {
            for wire in Wire::NOT_CLEAR {
                table.push(of(len, 0.9, Some(2)).training(3).finds(wire));
            }
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        update_input(draw, |_, _| Vec::new())
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let (op, batch) = (trial.case.op, &trial.case.batch);
        let mut bounds = trial.exact();
        if trial.case.wire.holds() || batch.number == 0 {
            return Ok(bounds);
        }
        let [momentum, rest] = op.factors().map(Rough::exact);
        let [average, parameter] = [2, 3].map(|place| trial.floats(place));
        let error =
            |i: usize| (Rough::exact(average[i]) * momentum + Rough::exact(parameter[i]) * rest).error;
        let errors: Vec<f64> = (0..op.len).map(error).collect();
        if op.overwrites(batch) {
            bounds[3] = Bound::Each(errors.clone());
        }
        bounds[2] = Bound::Each(errors);
        Ok(bounds)
    }
}

impl MovingAverage {
    /// What stays of the average and what comes from the weight, in 32 bits.
    fn factors(&self) -> [f32; 2] {
        let momentum = self.ema.momentum as f32;
        [momentum, 1.0 - momentum]
    }

    /// Whether the weights become their average in this step.
    fn overwrites(&self, batch: &BatchParams) -> bool {
        self.ema.overwrite_frequency.is_some_and(|every| batch.number.wrapping_add(1).is_multiple_of(every))
    }
}
