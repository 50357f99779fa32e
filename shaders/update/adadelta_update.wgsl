// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// adadelta_update, after weight decay (shared/weight_decay.wgsl), with the formula of Keras (epsilon inside both roots):
//   a <- rho*a + (1 - rho)*g^2
//   u <- sqrt(d + epsilon) * g / sqrt(a + epsilon)
//   d <- rho*d + (1 - rho)*u^2
//   w <- w - learning_rate*u
// Unless the tripwire (shared/tripwire.wgsl) forbids it. One invocation per Real.
//
// gradient  [LEN]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [2, LEN]: a, then d
// parameter [LEN]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> state: array<Real>;
@group(0) @binding(4) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let a_place = STATE_BASE + index;
    let d_place = a_place + LEN / WIDTH;
    let g = gradient[GRADIENT_BASE + index];
    let a_before = state[a_place];
    let d = state[d_place];
    let before = parameter[PARAMETER_BASE + index];
    let a = RHO * a_before + ONE_MINUS_RHO * (g * g);
    let u = sqrt(d + EPSILON) * g / sqrt(a + EPSILON);
    watch(g);
    state[a_place] = followed(g, a_before, a);
    state[d_place] = followed(g, d, RHO * d + ONE_MINUS_RHO * (u * u));
    parameter[PARAMETER_BASE + index] = followed(g, before, decayed(before) - batch.learning_rate * u);
    report();
}
