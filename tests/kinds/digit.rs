//! A digit of MNIST, enlarged, and drawn with different pens.

/// Height and width of MNIST's, and pixels for each of its pixels.
pub const SIDE: usize = 28;
pub const ZOOM: usize = 9;

/// A digit enlarged, `[SIDE * ZOOM, SIDE * ZOOM]`, each pixel 0 or 1 with soft edges.
pub struct Digit {
    pub small: Vec<u8>,
    pub ink: Vec<f32>,
}

pub const LARGE: usize = SIDE * ZOOM;

impl Digit {
    pub fn new(small: &[u8]) -> Self {
        Digit { small: small.to_vec(), ink: enlarged(small, ZOOM) }
    }

    /// As with a fine pen: thinned to lines of one pixel (Zhang and Suen 1984), then widened by one.
    pub fn thinned(&self) -> Digit {
        let mut inked: Vec<bool> = self.ink.iter().map(|ink| *ink > 0.5).collect();
        let around = |inked: &[bool], at: usize| {
            let offsets = [-(LARGE as isize), 1 - LARGE as isize, 1, LARGE as isize + 1, LARGE as isize]
                .into_iter()
                .chain([LARGE as isize - 1, -1, -1 - LARGE as isize]);
            let mut near = [false; 8];
            near.iter_mut()
                .zip(offsets)
                .for_each(|(near, offset)| *near = inked[at.wrapping_add_signed(offset)]);
            near
        };
        loop {
            let mut changed = false;
            for turn in [0, 2] {
                let goes = |at: &usize| {
                    let near = around(&inked, *at);
                    let count = near.iter().filter(|near| **near).count();
                    let starts = (0..8).filter(|n| !near[*n] && near[(n + 1) % 8]).count();
                    let [a, b, c, d] = [near[0], near[2], near[4], near[6]];
                    let sides = if turn == 0 { !(b && c && (a || d)) } else { !(a && d && (b || c)) };
                    (2..=6).contains(&count) && starts == 1 && sides
                };
                let inner = (LARGE + 1..LARGE * (LARGE - 1) - 1).filter(|at| inked[*at]);
                let gone: Vec<usize> = inner.filter(goes).collect();
                changed |= !gone.is_empty();
                gone.into_iter().for_each(|at| inked[at] = false);
            }
            if !changed {
                break;
            }
        }
        let line: Vec<f32> = inked.iter().map(|inked| f32::from(u8::from(*inked))).collect();
        Digit { small: self.small.clone(), ink: spread(&line, 1.0) }
    }

    pub fn thickened(&self) -> Digit {
        Digit { small: self.small.clone(), ink: spread(&self.ink, 7.0) }
    }
}

/// Bilinear, with sharpened edges.
pub fn enlarged(small: &[u8], zoom: usize) -> Vec<f32> {
    let value = |y: isize, x: isize| {
        let inside = |at: isize| (0..SIDE as isize).contains(&at);
        if inside(y) && inside(x) { f32::from(small[y as usize * SIDE + x as usize]) / 255.0 } else { 0.0 }
    };
    let side = SIDE * zoom;
    let at = |at: usize| {
        let place = |at: usize| (at as f32 + 0.5) / zoom as f32 - 0.5;
        let (y, x) = (place(at / side), place(at % side));
        let (top, left) = (y.floor() as isize, x.floor() as isize);
        let (down, across) = (y - y.floor(), x - x.floor());
        let row = |y: isize| value(y, left) * (1.0 - across) + value(y, left + 1) * across;
        let mean = row(top) * (1.0 - down) + row(top + 1) * down;
        ((mean - 0.35) / 0.2).clamp(0.0, 1.0)
    };
    (0..side * side).map(at).collect()
}

/// The strongest ink within a radius.
fn spread(ink: &[f32], radius: f32) -> Vec<f32> {
    let reach = radius as isize + 1;
    let mut made = ink.to_vec();
    for at in (0..ink.len()).filter(|at| ink[*at] > 0.0) {
        let (y, x) = ((at / LARGE) as isize, (at % LARGE) as isize);
        for (dy, dx) in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dy, dx))) {
            let weight = (radius + 0.5 - (dy as f32).hypot(dx as f32)).clamp(0.0, 1.0);
            let inside = |at: isize| (0..LARGE as isize).contains(&at);
            if weight > 0.0 && inside(y + dy) && inside(x + dx) {
                let to = &mut made[(y + dy) as usize * LARGE + (x + dx) as usize];
                *to = to.max(ink[at] * weight);
            }
        }
    }
    made
}
