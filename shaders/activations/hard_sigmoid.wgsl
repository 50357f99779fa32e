// y = min(max(x + 3, 0), 6) / 6. The ends are written as they are: (3 + 3) * (1 / 6) need not be 1.
fn activation(x: Real) -> Real {
    let between = (x + 3.0) * (1.0 / 6.0);
    return select(select(between, Real(1.0), x >= Real(3.0)), Real(), x <= Real(-3.0));
}

// dx = dy / 6 where 0 < y < 1, else 0: the derivative at both bends is 0.
fn activation_gradient(y: Real, dy: Real) -> Real {
    let between = dy * (1.0 / 6.0);
    return select(select(between, Real(), y >= Real(1.0)), Real(), y <= Real());
}
