// import shared/exp_minus_one.wgsl

// y = x where x > 0, else exp(x) - 1.
fn activation(x: Real) -> Real {
    return select(x, exp_minus_one(-abs(x)), x <= Real());
}

// dx = dy where y > 0, else dy * (y + 1), which is dy * exp(x).
fn activation_gradient(y: Real, dy: Real) -> Real {
    return select(dy, dy * (y + 1.0), y <= Real());
}
