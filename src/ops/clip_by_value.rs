use super::kit::*;

/// Gradients cut to `[-limit, limit]` in place: `g = min(max(g, -limit), limit)`, by comparisons, so that a NaN stays one.
/// Where the step is guarded, what is infinite stays so too: the update that follows is to see it.
///
/// gradient `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct ClipByValue {
    pub len: usize,
    pub limit: f64,
}

impl OpKind for ClipByValue {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/clip_by_value.wgsl"),
        elements: &[Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "clip_by_value"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![changed("gradient", &[self.len])]
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
        constants! { "LIMIT" => self.limit as f32 }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::Out(gradient)] = args else { return Err(OtherArguments) };
        clip_by_value(self.limit, batch, gradient);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} gradients, limit {}", self.len, self.limit)
    }

    fn cases() -> Vec<Case<Self>> {
        let by_value = |len, limit| Case::of(ClipByValue { len, limit });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 346_112] {
            for limit in [0.1, 0.5, 2.0] {
                table.push(by_value(len, limit));
            }
        }
        for len in [3000, 3001] {
            table.push(by_value(len, 0.25).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last(clip_by_value_bounds(trial.case.op.limit, trial.floats(0))))
    }
}

fn clip_by_value<T: Real>(limit: f64, batch: &BatchParams, gradient: &mut [T]) {
    let limit = T::of(limit);
    for g in gradient {
        if batch.guarded != 0 && g.is_infinite() {
            continue;
        }
        if *g > limit {
            *g = limit;
        } else if *g < -limit {
            *g = -limit;
        }
    }
}

/// What is past the limit becomes the limit, rounded to f32; what is within is not touched.
fn clip_by_value_bounds(limit: f64, gradient: &[f32]) -> Bound {
    let error = Rough::constant(limit).error;
    let bound = |&g: &f32| if f64::from(g).abs() >= limit - error { error } else { 0.0 };
    Bound::Each(gradient.iter().map(bound).collect())
}
