//! The ink of the drawing in a picture.

use super::alpha;
use super::doubt::Doubt;
use super::ground::{Ground, border, grain};
use super::lines::{Mask, without_frame};
use super::marks::Marks;
use super::pixels::{LEAST_CONTRAST, Picture, luma, median, over, quantile};
use super::survey::Survey;
use crate::data::DataError;
use crate::data::resample::Plane;

/// Ink differs from the ground by more than this many standard deviations of the grain,
const ABOVE_GRAIN: f32 = 4.5;
/// and by more than this share of the strong ink, which is the quantile MOST of all that differs that much.
const STRONG: f32 = 0.3;
/// The same on a local ground, where edges of shadows are not quite where the picture has them.
const STRONG_BY_SHADOWS: f32 = 0.5;
const MOST: f32 = 0.9;
/// A ground is accepted when at most this share of the border is ink;
const EMPTY_BORDER: f32 = 0.01;
/// another one is better only with less than this share of that.
const BETTER: f32 = 0.5;
/// A border with more ink than this share is a doubt.
const FULL_BORDER: f32 = 0.1;
/// The light is even when most differences from it are below this share of the contrast, or this many levels.
const EVEN: f32 = 0.04;
const EVEN_LEVELS: f32 = 6.0;
/// Lighter and darker marks are distinguished when one kind has this many times the ink of the other.
const CLEARLY: f32 = 2.0;
/// Ink is faint below this many times the least that counts.
const FAR: f32 = 1.5;
/// A drawing with fewer pixels than this is small.
const SMALL: usize = 12;

/// One interpretation of a plane: ground, and ink on it.
struct Look {
    ground: Ground,
    darker: bool,
    /// The grey that a brighter or darker ground is compared with.
    reference: f32,
    /// In levels of grey, negative on the other side of the ground.
    ink: Plane,
    /// Values above it are ink.
    threshold: f32,
    /// The share of the border that is ink.
    border: f32,
    doubts: Vec<Doubt>,
}

/// The ink of the drawing and a little around it, scaled so that the strongest is 1.
pub(super) fn ink(picture: &Picture) -> Result<(Plane, Vec<Doubt>), DataError> {
    let behind = alpha::behind(picture);
    let Survey { plane, factor } = Survey::of(picture, behind);
    let inside = without_frame(&plane);
    let plane = plane.part(inside.corner, inside.size);
    let look = Look::best(&plane).ok_or(DataError::BlankPicture)?;
    let mut doubts = look.doubts.clone();
    let mask = Mask::of(&look.ink, |ink| ink > look.threshold);
    let (rest, lines) = mask.without_lines();
    let mut marks = Marks::of(&rest, &look.ink);
    if lines > 0 && marks.is_none() {
        doubts.push(Doubt::OnlyLines);
        marks = Marks::of(&mask, &look.ink);
    }
    let mut marks = marks.ok_or(DataError::BlankPicture)?;
    for ((kept, was), is) in marks.kept.inked.iter_mut().zip(&mask.inked).zip(&rest.inked) {
        *kept &= *was == *is || doubts.contains(&Doubt::OnlyLines);
    }
    doubts.append(&mut marks.doubts);
    let ink = look.whole(picture, behind, factor, inside.corner, &marks)?;
    let pixels = (0..2).map(|axis| marks.last[axis] + 1 - marks.first[axis]).max().unwrap_or(0) * factor;
    if pixels < SMALL {
        doubts.push(Doubt::Small { pixels });
    }
    Ok((ink, doubts))
}

impl Look {
    /// With an even ground where that leaves the border empty, else with the best of three; `None` where nothing
    /// stands out.
    fn best(plane: &Plane) -> Option<Look> {
        let noise = grain(plane);
        let even = Look::on(Ground::even(plane), plane, noise);
        if let Some((look, true)) = &even.as_ref().map(|look| (look, look.is_even()))
            && look.border <= EMPTY_BORDER
        {
            return even;
        }
        let darker = |look: &Option<Look>| look.as_ref().is_none_or(|look| look.darker);
        let surface = Ground::surface(plane).and_then(|ground| Look::on(ground, plane, noise));
        let local = Ground::local(plane, darker(if surface.is_some() { &surface } else { &even }));
        let local = Look::on(local, plane, noise);
        let even = even.filter(Look::is_even);
        let least = if even.is_some() { BETTER } else { f32::INFINITY }
            * even.as_ref().map_or(1.0, |even| even.border);
        let others: Vec<Look> =
            [surface, local].into_iter().flatten().filter(|look| look.border < least).collect();
        let first = others.iter().position(|look| look.border <= EMPTY_BORDER);
        let emptiest = (0..others.len()).min_by(|a, b| others[*a].border.total_cmp(&others[*b].border));
        let mut best = match first.or(emptiest) {
            Some(at) => others.into_iter().nth(at)?,
            None => even?,
        };
        if best.border > FULL_BORDER {
            best.doubts.push(Doubt::UnevenGround);
        }
        Some(best)
    }

    /// With this ground; `None` where nothing stands out from it.
    fn on(ground: Ground, plane: &Plane, noise: f32) -> Option<Look> {
        let width = plane.width;
        let place = |at: usize| ((at / width) as f32 + 0.5, (at % width) as f32 + 0.5);
        let grounds: Vec<f32> =
            (0..plane.values.len()).map(|at| ground.at(place(at).0, place(at).1)).collect();
        let reference = match ground {
            Ground::Even(grey) => grey,
            _ => median(&mut grounds.clone()),
        };
        let least = LEAST_CONTRAST.max(ABOVE_GRAIN * noise);
        let (mut lighter, mut darker) = (0.0f64, 0.0f64);
        for (value, ground) in plane.values.iter().zip(&grounds) {
            let difference = f64::from(value - ground);
            *(if difference > 0.0 { &mut lighter } else { &mut darker }) +=
                if difference.abs() > f64::from(least) { difference.abs() } else { 0.0 };
        }
        let mut doubts = Vec::new();
        if lighter.min(darker) * f64::from(CLEARLY) > lighter.max(darker) {
            doubts.push(Doubt::LighterAndDarker);
        }
        let mut look = Look {
            darker: darker > lighter,
            ink: Plane { values: Vec::new(), ..*plane },
            ground,
            reference,
            threshold: least,
            border: 0.0,
            doubts,
        };
        look.ink.values =
            plane.values.iter().zip(&grounds).map(|(value, ground)| look.level(*value, *ground)).collect();
        let mut strong: Vec<f32> = look.ink.values.iter().copied().filter(|ink| *ink > least).collect();
        if strong.is_empty() {
            return None;
        }
        let most = quantile(&mut strong, MOST);
        if most < FAR * least {
            look.doubts.push(Doubt::Faint);
        }
        let strong = if matches!(look.ground, Ground::Local(_)) { STRONG_BY_SHADOWS } else { STRONG };
        look.threshold = least.max(strong * most);
        let border = border(&look.ink);
        let inked = border.iter().filter(|ink| **ink > look.threshold).count();
        look.border = inked as f32 / border.len() as f32;
        Some(look)
    }

    /// Ink in levels of grey. Dark ink on paper absorbs a share of the light that falls there; light ink on a board
    /// adds to it.
    fn level(&self, value: f32, ground: f32) -> f32 {
        if !self.darker {
            value - ground
        } else if ground == self.reference {
            ground - value
        } else {
            (ground - value) * self.reference / ground.max(1.0)
        }
    }

    /// Whether most of the plane has the grey of the ground.
    fn is_even(&self) -> bool {
        let mut differences: Vec<f32> = self.ink.values.iter().map(|ink| ink.abs()).collect();
        let contrast = self.threshold / STRONG;
        median(&mut differences) <= EVEN_LEVELS.max(EVEN * contrast)
    }

    /// The ink of the marks, taken from the picture itself.
    fn whole(
        &self,
        picture: &Picture,
        behind: f32,
        factor: usize,
        corner: [usize; 2],
        marks: &Marks,
    ) -> Result<Plane, DataError> {
        // Grain and shadows of a photograph: what is found at the border is everywhere.
        let mut spread: Vec<f32> = border(&self.ink).iter().map(|ink| ink.abs()).collect();
        let grain = 2.0 * median(&mut spread);
        let from = |axis: usize| (corner[axis] + marks.first[axis].saturating_sub(EDGES)) * factor;
        let (top, left) = (from(0), from(1));
        let until = |axis: usize, side: usize, of: usize| {
            ((corner[axis] + (marks.last[axis] + 1 + EDGES).min(of)) * factor).min(side)
        };
        let bottom = until(0, picture.height, marks.kept.height);
        let right = until(1, picture.width, marks.kept.width);
        let (height, width) = (bottom.saturating_sub(top), right.saturating_sub(left));
        let mut values = Vec::with_capacity(height * width);
        for y in top..bottom {
            let row = y / factor - corner[0];
            let down = (y as f32 + 0.5) / factor as f32 - corner[0] as f32;
            for (x, pixel) in (left..right).zip(picture.row(y).skip(left)) {
                let kept = marks.kept.inked[row * marks.kept.width + x / factor - corner[1]];
                let across = (x as f32 + 0.5) / factor as f32 - corner[1] as f32;
                let level = || self.level(over(pixel, behind, luma), self.ground.at(down, across)) - grain;
                values.push(if kept { level() } else { 0.0 });
            }
        }
        let peak = values.iter().copied().fold(0.0, f32::max);
        if peak < LEAST_CONTRAST {
            return Err(DataError::BlankPicture);
        }
        values.iter_mut().for_each(|value| *value = (*value / peak).clamp(0.0, 1.0));
        Ok(Plane { height, width, values })
    }
}

/// Pixels of the survey around the marks that may hold their soft edges.
const EDGES: usize = 4;
