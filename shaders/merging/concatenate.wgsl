// import shared/linear_index.wgsl

// concatenate: y[r, FIRST + c] = x[r, c]; the other columns of y stay.
// One invocation per Real of x.
//
// x [ROWS, PART]
// y [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

const REALS = PART / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let place = index / REALS * (COLUMNS / WIDTH) + FIRST / WIDTH + index % REALS;
    y[Y_BASE + place] = x[X_BASE + index];
}
