// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// adam_update, after weight decay (shared/weight_decay.wgsl), with the formula of Keras (epsilon outside the root):
//   m <- m + (1 - beta_1)*(g - m)
//   v <- v + (1 - beta_2)*(g^2 - v)
//   w <- w - m * (learning_rate*correction) / (sqrt(v) + epsilon)
// where the host has computed correction = sqrt(1 - beta_2^t) / (1 - beta_1^t) for the t-th step.
// Unless the tripwire (shared/tripwire.wgsl) forbids it. One invocation per Real.
//
// gradient  [LEN]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [2, LEN]: m, then v
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
    let m_place = STATE_BASE + index;
    let v_place = m_place + LEN / WIDTH;
    let g = gradient[GRADIENT_BASE + index];
    let m_before = state[m_place];
    let v_before = state[v_place];
    let before = parameter[PARAMETER_BASE + index];
    let m = m_before + (g - m_before) * ONE_MINUS_BETA_1;
    let v = v_before + (g * g - v_before) * ONE_MINUS_BETA_2;
    let alpha = batch.learning_rate * batch.correction;
    let w = decayed(before) - m * alpha / (sqrt(v) + EPSILON);
    watch(g);
    state[m_place] = followed(g, m_before, m);
    state[v_place] = followed(g, v_before, v);
    parameter[PARAMETER_BASE + index] = followed(g, before, w);
    report();
}
