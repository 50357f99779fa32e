//! A drawing's ink, scaled and placed in the image as MNIST's digits are.

use super::pixels::FAINT;
use crate::data::resample::{Plane, resample};

/// Shares of the image that a digit may fill: MNIST's are 20 of 28 pixels.
const BOX: [usize; 2] = [20, 28];
/// Large drawings are first reduced to at most this many times the box, so that what follows is cheap.
const WORKING_SCALE: usize = 8;
/// Strokes thinner than the first, in pixels of the result, are made as wide as the second. About 1 in 100 of MNIST's
/// own images has strokes as thin; most have strokes of 1.8 to 2.5 pixels.
const LEAST_STROKE: f32 = 1.25;
const STROKE: f32 = 1.8;
/// A place is rounded up from this far below the next pixel: a symmetrical drawing lies halfway between two, and goes
/// to the lower one however its sums are rounded.
const ROUND_UP: f32 = 0.45;
/// A stroke has two edges, and a slanted edge is up to 4/pi times its length in sides of pixels: the mean is taken.
const AREA_BY_SIDES: f32 = 2.27;

/// `[h, w]` bytes from ink of 0 to 1, of which some is at least [`FAINT`].
pub(super) fn placed(ink: &Plane, [h, w]: [usize; 2]) -> Vec<u8> {
    let ink = crop(ink);
    let room = [h, w].map(|side| (side * BOX[0] / BOX[1]).max(1));
    place(&scale_into(&ink, room), [h, w])
}

/// The smallest part that holds all ink; there must be some.
fn crop(ink: &Plane) -> Plane {
    let inked = |at: &usize| ink.values[*at] >= FAINT;
    let (mut top, mut bottom, mut left, mut right) = (ink.height, 0, ink.width, 0);
    for at in (0..ink.values.len()).filter(inked) {
        let (y, x) = (at / ink.width, at % ink.width);
        (top, bottom, left, right) = (top.min(y), bottom.max(y), left.min(x), right.max(x));
    }
    ink.part([top, left], [(bottom + 1).saturating_sub(top), (right + 1).saturating_sub(left)])
}

/// The drawing scaled to fit into `room`, with strokes that are not too thin.
fn scale_into(ink: &Plane, room: [usize; 2]) -> Plane {
    let fit = |plane: &Plane, room: [usize; 2]| {
        let scale = (room[0] as f32 / plane.height as f32).min(room[1] as f32 / plane.width as f32);
        let size = |length: usize| ((length as f32 * scale).round() as usize).max(1);
        [size(plane.height), size(plane.width)]
    };
    let size = fit(ink, room);
    let working = fit(ink, room.map(|side| side * WORKING_SCALE));
    // Both sides are compared: a line is long on one side only.
    let large = working[0] < ink.height || working[1] < ink.width;
    let mut plane = if large { brightened(resample(ink, working)) } else { ink.clone() };
    let scale = size[0].max(size[1]) as f32 / plane.height.max(plane.width) as f32;
    let stroke = stroke_width(&plane);
    if stroke * scale < LEAST_STROKE {
        plane = thickened(&plane, (STROKE / scale - stroke) / 2.0);
    }
    let size = fit(&plane, room);
    brightened(resample(&plane, size))
}

/// Scaled so that the strongest ink is 1.
fn brightened(mut plane: Plane) -> Plane {
    let peak = plane.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    plane.values.iter_mut().for_each(|value| *value = (*value / peak).clamp(0.0, 1.0));
    plane
}

/// Mean width of the strokes in pixels: their area divided by the length of their edges.
fn stroke_width(plane: &Plane) -> f32 {
    let Plane { height, width, values } = plane;
    let at = |y: usize, x: usize| {
        if y < *height && x < *width { values[y * width + x] } else { 0.0 }
    };
    let area: f32 = values.iter().sum();
    let mut sides = 0.0;
    for y in 0..=*height {
        for x in 0..=*width {
            // One above and left of the picture there is nothing: wrapping leaves it.
            let here = at(y, x);
            sides += (here - at(y.wrapping_sub(1), x)).abs() + (here - at(y, x.wrapping_sub(1))).abs();
        }
    }
    AREA_BY_SIDES * area / sides.max(f32::MIN_POSITIVE)
}

/// Every stroke widened by `radius` on each side: each pixel becomes the strongest in a disc with a soft edge.
///
/// The plane is at most [`WORKING_SCALE`] times the box, which bounds the radius as well.
fn thickened(plane: &Plane, radius: f32) -> Plane {
    let reach = radius.ceil() as isize;
    let mut disc = Vec::new();
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let weight = (radius + 0.5 - ((dy * dy + dx * dx) as f32).sqrt()).clamp(0.0, 1.0);
            if weight > 0.0 || (dy, dx) == (0, 0) {
                disc.push((dy, dx, if (dy, dx) == (0, 0) { 1.0 } else { weight }));
            }
        }
    }
    let margin = reach as usize;
    let (height, width) = (plane.height + 2 * margin, plane.width + 2 * margin);
    let mut values = vec![0f32; height * width];
    for (at, &ink) in plane.values.iter().enumerate().filter(|(_, ink)| **ink > 0.0) {
        let (y, x) = (at / plane.width + margin, at % plane.width + margin);
        for &(dy, dx, weight) in &disc {
            let place = y.wrapping_add_signed(dy) * width + x.wrapping_add_signed(dx);
            values[place] = values[place].max(ink * weight);
        }
    }
    Plane { height, width, values }
}

/// The digit on black, its centre of mass in the middle as far as the digit stays inside.
fn place(digit: &Plane, [h, w]: [usize; 2]) -> Vec<u8> {
    let mass: f32 = digit.values.iter().sum();
    let weighted = |position: &dyn Fn(usize) -> usize| {
        let moments = digit.values.iter().enumerate().map(|(at, value)| position(at) as f32 * value);
        moments.sum::<f32>() / mass
    };
    let first = |side: usize, centre: f32, room: usize| {
        ((side as f32 / 2.0 - centre + ROUND_UP).floor().max(0.0) as usize).min(room)
    };
    let top = first(h, weighted(&|at| at / digit.width), h - digit.height);
    let left = first(w, weighted(&|at| at % digit.width), w - digit.width);
    let mut image = vec![0; h * w];
    for (at, value) in digit.values.iter().enumerate() {
        let place = (top + at / digit.width) * w + left + at % digit.width;
        image[place] = (value * 255.0).round() as u8;
    }
    image
}
