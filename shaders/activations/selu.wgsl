// import shared/exp_minus_one.wgsl

// y = SCALE * x where x >= 0, else SCALE_ALPHA * (exp(x) - 1).
fn activation(x: Real) -> Real {
    return select(SCALE * x, SCALE_ALPHA * exp_minus_one(-abs(x)), x < Real());
}

// dx = dy * SCALE where y >= 0, else dy * (y + SCALE_ALPHA), which is dy * SCALE_ALPHA * exp(x).
fn activation_gradient(y: Real, dy: Real) -> Real {
    return dy * select(Real(SCALE), y + SCALE_ALPHA, y < Real());
}
