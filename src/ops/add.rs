//! Sums, element by element.

use super::activation::cases;
use super::kit::*;

/// `y = a + b`, element by element.
///
/// All `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct Add {
    pub len: usize,
}

impl OpKind for Add {
    const ROWS: &'static [Row<Self>] =
        &[Row { source: shader!("merging/add.wgsl"), elements: &[Element::Real; 3], ..Row::ELEMENTWISE }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_add)];

    fn kind(&self) -> &'static str {
        "add"
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
            *y = a + b;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|len| Add { len })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}

/// `y = y + x`, element by element.
///
/// Both `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct AddTo {
    pub len: usize,
}

impl OpKind for AddTo {
    const ROWS: &'static [Row<Self>] =
        &[Row { source: shader!("merging/add_to.wgsl"), elements: &[Element::Real; 2], ..Row::ELEMENTWISE }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_add_to)];

    fn kind(&self) -> &'static str {
        "add_to"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.len]), changed("y", &[self.len])]
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
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        for (y, &x) in y.iter_mut().zip(*x) {
            *y += x;
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|len| AddTo { len })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}

fn fast_add(
    _: &Add,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(a), Arg::In(b), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    each_piece_by(y, PIECE, a, PIECE, &|number, y, a| {
        let b = &b[number * PIECE..][..y.len()];
        y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = a + b);
    });
    Ok(())
}

fn fast_add_to(
    _: &AddTo,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    change_by(x, y, |x: f32, y| y + x);
    Ok(())
}
