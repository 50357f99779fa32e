// import shared/linear_index.wgsl

// broadcast: y[n, h, w, c] = x[n, h, w, c], where x has 1 in the place of some dimensions: its place along those is 0.
// One invocation per Real of y. With four floats to a Real, x has all channels.
//
// x [SAMPLES, SMALL_H, SMALL_W, SMALL_CHANNELS]
// y [SAMPLES, IMAGE_H, IMAGE_W, CHANNELS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

const REALS = CHANNELS / WIDTH;
const SMALL_REALS = (SMALL_CHANNELS + WIDTH - 1u) / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    // A place modulo 1 is 0.
    let c = index % REALS % SMALL_REALS;
    let w = index / REALS % IMAGE_W % SMALL_W;
    let h = index / (REALS * IMAGE_W) % IMAGE_H % SMALL_H;
    let n = index / (REALS * IMAGE_W * IMAGE_H);
    y[Y_BASE + index] = x[X_BASE + ((n * SMALL_H + h) * SMALL_W + w) * SMALL_REALS + c];
}
