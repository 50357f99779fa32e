use super::kit::*;

/// The sum of parts, in order.
///
/// `sum[i] = partial[0, i] + partial[1, i] + ...`, in this order.
///
/// partial `[parts, len]`, sum `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SumPartials {
    pub parts: usize,
    pub len: usize,
}

impl OpKind for SumPartials {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/sum_partials.wgsl"),
        elements: &[Element::Real, Element::Real],
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "sum_partials"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("partial", &[self.parts, self.len]), written("sum", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.parts * self.len
    }

    fn longest_loop(&self) -> usize {
        self.parts
    }

    fn constants(&self) -> Constants {
        constants! { "PARTS" => self.parts, "LEN" => self.len }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(partial), Arg::Out(sum)] = args else { return Err(OtherArguments) };
        sum_partials(partial, sum);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} parts of {}", self.parts, self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        let parts = |parts, len| Case::of(SumPartials { parts, len });
        vec![
            parts(42, 320),
            parts(43, 288),
            parts(43, 32),
            parts(15, 4096),
            parts(1, 1),
            parts(1, 4),
            parts(2, 5),
            parts(3, 130),
            parts(7, 260).with(Numbers::Eighths),
            parts(2, 1028).folded(),
            parts(40, 1028).folded(),
            // The most that a plan has, and the longest loop that it may have.
            parts(1024, 9),
            parts(30_000, 4),
        ]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(trial.case.op.parts)
    }
}

/// The same sums, side by side for some neighbours.
fn fast(
    op: &SumPartials,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(partial), Arg::Out(sum)] = args else { return Err(OtherArguments) };
    each_piece(sum, PIECE, &|piece, sum| {
        sum.fill(0.0);
        for part in partial.chunks_exact(op.len) {
            sum.iter_mut().zip(&part[piece * PIECE..]).for_each(|(sum, &part)| *sum += part);
        }
    });
    Ok(())
}

pub(super) fn sum_partials<T: Real>(partial: &[T], sum: &mut [T]) {
    let len = sum.len();
    each_piece(sum, PIECE, &|piece, sums| {
        for (i, sum) in (piece * PIECE..).zip(sums) {
            *sum = T::zero();
            for part in partial.chunks(len) {
                *sum += part[i];
            }
        }
    });
}
