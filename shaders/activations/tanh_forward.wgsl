// import shared/linear_index.wgsl

// tanh_forward: y = tanh(y) in place: of WGSL's own tanh too little is known.
// With e = exp(-2|y|), which is at most 1, tanh(|y|) is (1 - e) / (1 + e). Near 0, where that cancels, it is the series
// y - y^3/3 + 2y^5/15 - 17y^7/315 + 62y^9/2835.
// One invocation per Real.
//
// y [LEN]

// Below this the next term of the series is under 1e-8 of the sum.
const NEAR = 0.25;

@group(0) @binding(0) var<storage, read_write> y: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let value = y[Y_BASE + index];
    let e = exp(-2.0 * abs(value));
    let far = (1.0 - e) / (1.0 + e);
    let square = value * value;
    let series = square * (-1.0 / 3.0 + square * (2.0 / 15.0 + square * (-17.0 / 315.0 + square * (62.0 / 2835.0))));
    let near = value + value * series;
    y[Y_BASE + index] = select(select(-far, far, value >= Real()), near, abs(value) < Real(NEAR));
}
