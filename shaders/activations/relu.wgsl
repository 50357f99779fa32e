// y = max(x, 0). Written with a comparison so that a NaN stays one.
fn activation(x: Real) -> Real {
    return select(x, Real(), x <= Real());
}

// dx = dy where y > 0, else 0: the derivative at 0 is 0.
fn activation_gradient(y: Real, dy: Real) -> Real {
    return select(dy, Real(), y <= Real());
}
