// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl

// random_flip: in training, y[n, h, w, c] = x[n, h', w', c], where for an image that its draw mirrors h' = HEIGHT - 1 - h if VERTICAL,
// and w' = WIDTH_PIXELS - 1 - w if HORIZONTAL; else y = x.
// One invocation per Real.
//
// x [BATCH, HEIGHT, WIDTH_PIXELS, CHANNELS]
// y [BATCH, HEIGHT, WIDTH_PIXELS, CHANNELS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

const REALS = CHANNELS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    var w = index / REALS % WIDTH_PIXELS;
    var h = index / (REALS * WIDTH_PIXELS) % HEIGHT;
    let n = index / (REALS * WIDTH_PIXELS * HEIGHT);
    if batch.training == 1u {
        let draw = philox(vec4u(n, batch.number, LAYER, PURPOSE), vec2u(batch.seed_low, batch.seed_high));
        let mirrors = draw.x >> 31u == 1u;
        h = select(h, HEIGHT - 1u - h, mirrors && VERTICAL);
        w = select(w, WIDTH_PIXELS - 1u - w, mirrors && HORIZONTAL);
    }
    y[Y_BASE + index] = x[X_BASE + ((n * HEIGHT + h) * WIDTH_PIXELS + w) * REALS + c];
}
