//! Inputs of several shapes, as layers that join them take them.

use super::builder::Builder;
use super::place::Place;
use super::shape::several;
use super::step::{PlanError, Role, Stage, Tensor};
use crate::data::Shape;
use crate::ops::{Broadcast, BroadcastBackward, BroadcastShape, Dtype};

/// The shape to which all of several inputs stretch: along each axis, from the last one on, they are of one size or 1. Features
/// stand for the channels of one position.
pub(crate) fn stretched(inputs: &[Shape]) -> Result<Shape, String> {
    several(inputs)?;
    let all_flat = inputs.iter().all(|shape| matches!(shape, Shape::Flat(_)));
    let mut dims = [1; 3];
    for shape in inputs {
        for (size, other) in dims.iter_mut().zip(three(*shape)) {
            match (*size, other) {
                (have, 1) => *size = have,
                (1, other) => *size = other,
                (have, other) if have == other => {}
                _ => {
                    let all: Vec<_> = inputs.iter().map(Shape::dims).collect();
                    return Err(format!(
                        "its inputs must be of one shape, or 1 where others are larger, but are {}",
                        all.iter().map(|dims| format!("{dims:?}")).collect::<Vec<_>>().join(" and ")
                    ));
                }
            }
        }
    }
    Ok(if all_flat { Shape::Flat(dims[2]) } else { Shape::Image(dims) })
}

fn three(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image(dims) => dims,
        Shape::Flat(features) => [1, 1, features],
    }
}

/// How an input stretches to the output; `None` where it has its shape, or its values under another one.
fn stretch(place: &Place<'_>, number: usize, samples: usize) -> Option<BroadcastShape> {
    let (small, dims) = (three(place.inputs[number]), three(place.output));
    let mut kept = [true; 3];
    kept.iter_mut().zip(small.iter().zip(&dims)).for_each(|(kept, (small, large))| *kept = small == large);
    (small != dims).then_some(BroadcastShape { samples, dims, kept })
}

/// The inputs in the shape of the output.
pub(crate) fn stretch_all(
    place: &Place<'_>,
    b: &mut Builder,
    x: &[Tensor],
) -> Result<Vec<Tensor>, PlanError> {
    let mut all = Vec::new();
    for (number, x) in x.iter().enumerate() {
        let dims = b.batched(place.output);
        let Some(shape) = stretch(place, number, b.batch) else {
            all.push(Tensor { shape: dims, ..x.clone() });
            continue;
        };
        let y = b.leave(place, &stretched_name(number), Dtype::F32, &dims);
        let name = place.step(&format!("stretch_{number}"));
        b.step(Stage::Forward, name, Broadcast(shape), vec![x.clone(), y.clone()])?;
        all.push(y);
    }
    Ok(all)
}

/// On the way back, the inputs as [`stretch_all`] gave them.
pub(crate) fn all_stretched(place: &Place<'_>, b: &Builder, x: &[Tensor]) -> Vec<Tensor> {
    let one = |(number, x): (usize, &Tensor)| match stretch(place, number, b.batch) {
        Some(_) => b.left(place, &stretched_name(number)),
        None => Tensor { shape: b.batched(place.output), ..x.clone() },
    };
    x.iter().enumerate().map(one).collect()
}

/// The gradient of an input, from that of what it was stretched to: that one itself where it was not.
pub(crate) fn gathered(
    place: &Place<'_>,
    b: &mut Builder,
    number: usize,
    x: &Tensor,
    dy: Tensor,
) -> Result<Tensor, PlanError> {
    let Some(shape) = stretch(place, number, b.batch) else {
        return Ok(Tensor { shape: x.shape.clone(), ..dy });
    };
    let name = place.weight(&format!("d_{}", stretched_name(number)));
    let dx = b.tensor(&name, Role::ActivationGradient, Dtype::F32, &x.shape);
    let name = place.step(&format!("backward_stretch_{number}"));
    b.step(Stage::Backward, name, BroadcastBackward(shape), vec![dy, dx.clone()])?;
    Ok(dx)
}

/// Whether an input is smaller than the output.
pub(crate) fn is_stretched(place: &Place<'_>, number: usize) -> bool {
    stretch(place, number, 1).is_some()
}

fn stretched_name(number: usize) -> String {
    format!("stretched_{number}")
}
