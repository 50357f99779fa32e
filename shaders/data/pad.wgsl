// import shared/linear_index.wgsl

// pad: y[n, TOP + h, LEFT + w, c] = x[n, h, w, c], and the float of VALUE_BITS elsewhere.
// One invocation per Real of y.
//
// x [BATCH, IN_H, IN_W, CHANNELS]
// y [BATCH, OUT_H, OUT_W, CHANNELS]

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
    // Before the image these wrap below 0, which is past its end.
    let w = index / REALS % OUT_W - LEFT;
    let h = index / (REALS * OUT_W) % OUT_H - TOP;
    let n = index / (REALS * OUT_W * OUT_H);
    // WGSL has no constant that is infinite.
    var bits = VALUE_BITS;
    var value = Real(bitcast<f32>(bits));
    if h < IN_H && w < IN_W {
        value = x[X_BASE + ((n * IN_H + h) * IN_W + w) * REALS + c];
    }
    y[Y_BASE + index] = value;
}
