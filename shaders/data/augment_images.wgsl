// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl

// augment_images: each image of the batch seen through a transform of its own, and noise. Element (i, j) of an image is
//   sum_{u, v in {0, 1}} w_u(y) w_v(x) source[floor(y) + u, floor(x) + v] + NOISE * draw
// at the place (y, x) = (t0 i + t1 j + t2, t3 i + t4 j + t5), with w_1(y) = y - floor(y), w_0 = 1 - w_1, and 0 outside the
// image. Rows past the batch's size are zero; outside training x is source. One invocation per element.
//
// transforms [samples of the pass, 8]: t0 to t5 and two unused
// source     [BATCH, HEIGHT, WIDTH_PIXELS, CHANNELS]
// x          [BATCH, HEIGHT, WIDTH_PIXELS, CHANNELS]

@group(0) @binding(0) var<storage, read> transforms: array<vec4f>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;

const IMAGE = HEIGHT * WIDTH_PIXELS * CHANNELS;
// The mean of the sum of 8 halves of words.
const DRAW_MEAN = 262140.0;

// Places far outside are as good as some just outside.
fn near(place: f32, size: u32) -> f32 {
    return clamp(place, -2.0, f32(size) + 1.0);
}

// 0 outside the image n.
fn pixel(n: u32, h: i32, w: i32, c: u32) -> f32 {
    if h < 0 || h >= i32(HEIGHT) || w < 0 || w >= i32(WIDTH_PIXELS) {
        return 0.0;
    }
    return source[SOURCE_BASE + ((n * HEIGHT + u32(h)) * WIDTH_PIXELS + u32(w)) * CHANNELS + c];
}

// The sum of the 8 halves of a block of the generator, less its mean: exact.
fn draw(element: u32) -> f32 {
    let words = philox(vec4u(element, 0u, batch.number, PURPOSE_NOISE), vec2u(batch.seed_low, batch.seed_high));
    let halves = (words & vec4u(0xFFFFu)) + (words >> vec4u(16u));
    return f32(halves.x + halves.y + halves.z + halves.w) - DRAW_MEAN;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    if batch.training == 0u {
        x[X_BASE + index] = source[SOURCE_BASE + index];
        return;
    }
    let n = index / IMAGE;
    if n >= batch.batch_size {
        x[X_BASE + index] = 0.0;
        return;
    }
    let c = index % CHANNELS;
    let place = vec2f(f32(index / (CHANNELS * WIDTH_PIXELS) % HEIGHT), f32(index / CHANNELS % WIDTH_PIXELS));
    let first = transforms[TRANSFORMS_BASE + (batch.position + n) * 2u];
    let second = transforms[TRANSFORMS_BASE + (batch.position + n) * 2u + 1u];
    let y_place = near(first.x * place.x + first.y * place.y + first.z, HEIGHT);
    let x_place = near(first.w * place.x + second.x * place.y + second.y, WIDTH_PIXELS);
    let before = vec2f(floor(y_place), floor(x_place));
    let after_share = vec2f(y_place, x_place) - before;
    let before_share = vec2f(1.0) - after_share;
    let h = i32(before.x);
    let w = i32(before.y);
    let upper = before_share.y * pixel(n, h, w, c) + after_share.y * pixel(n, h, w + 1, c);
    let lower = before_share.y * pixel(n, h + 1, w, c) + after_share.y * pixel(n, h + 1, w + 1, c);
    var value = before_share.x * upper + after_share.x * lower;
    if NOISY {
        value += NOISE * draw(index);
    }
    x[X_BASE + index] = value;
}
