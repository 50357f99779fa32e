// How far images are moved along an axis, and from where their pixels then come, in 4096ths of a pixel: integers, the same on every device.
const PIXEL = 4096;
const LAST = i32(LEN - 1u) * PIXEL;

// From where a pixel comes: the first of two neighbours, and how much of the second is taken.
struct Taps {
    first: i32,
    share: i32,
}

// How far the image n is moved.
fn shift_of(n: u32) -> i32 {
    if batch.training == 0u {
        return 0;
    }
    let words = philox(vec4u(n, batch.number, LAYER, PURPOSE), vec2u(batch.seed_low, batch.seed_high));
    return bitcast<i32>(LOW) + i32(high_product(words[WORD], SPAN));
}

// INSIDE brings a place inside the image, to its nearest pixel; before, what is REFLECTED is mirrored at the edge. With NEAREST a place
// is rounded to a whole pixel, halves away from zero.
fn taps_of(at: u32, shift: i32) -> Taps {
    var place = i32(at) * PIXEL - shift;
    if REFLECTED {
        if place < 0 {
            place = -place - PIXEL;
        } else if place > LAST {
            place = 2 * LAST + PIXEL - place;
        }
    }
    if INSIDE {
        place = clamp(place, 0, LAST);
    }
    if NEAREST {
        // An arithmetic shift rounds down.
        return Taps((place + PIXEL / 2 - select(0, 1, place < 0)) >> 12u, 0);
    }
    return Taps(place >> 12u, place & (PIXEL - 1));
}
