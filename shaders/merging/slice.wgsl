// import shared/linear_index.wgsl

// slice: x[r, c] = y[r, FIRST + c].
// One invocation per Real of x.
//
// y [ROWS, COLUMNS]
// x [ROWS, PART]

@group(0) @binding(0) var<storage, read> y: array<Real>;
@group(0) @binding(1) var<storage, read_write> x: array<Real>;

const REALS = PART / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let place = index / REALS * (COLUMNS / WIDTH) + FIRST / WIDTH + index % REALS;
    x[X_BASE + index] = y[Y_BASE + place];
}
