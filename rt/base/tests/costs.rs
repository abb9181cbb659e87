//! Costs: the laws of both algebras, bounds of plans against Floyd-Warshall, slack.

mod common;

use asr_base::{Dag, Duration, MaxPlus, MinPlus, Rng, Status, Time};
use common::{CASES, rng, shuffle};

const EDGES: [u64; 9] = [
    0,
    1,
    2,
    1 << 32,
    u64::MAX / 2,
    u64::MAX / 2 + 1,
    u64::MAX - 2,
    u64::MAX - 1,
    u64::MAX,
];

/// The laws of a semiring, for one triple.
macro_rules! laws {
    ($type:ident, $a:expr, $b:expr, $c:expr) => {
        let (a, b, c) = ($a, $b, $c);
        let (zero, one) = ($type::ZERO, $type::ONE);
        assert_eq!(a.or(b).or(c), a.or(b.or(c)));
        assert_eq!(a.or(b), b.or(a));
        assert_eq!(a.or(a), a);
        assert_eq!((a.or(zero), zero.or(a)), (a, a));
        assert_eq!(a.then(b).then(c), a.then(b.then(c)), "{a} {b} {c}");
        assert_eq!(a.then(b), b.then(a));
        assert_eq!((a.then(one), one.then(a)), (a, a));
        assert_eq!((a.then(zero), zero.then(a)), (zero, zero));
        assert_eq!(a.then(b.or(c)), a.then(b).or(a.then(c)), "{a} {b} {c}");
        assert_eq!(b.or(c).then(a), b.then(a).or(c.then(a)), "{a} {b} {c}");
    };
}

#[test]
fn val_22_laws_of_min_plus() {
    for a in EDGES {
        for b in EDGES {
            for c in EDGES {
                laws!(MinPlus, MinPlus::new(a), MinPlus::new(b), MinPlus::new(c));
            }
        }
    }
    let mut rng = rng(22);
    for _ in 0..CASES {
        let mut draw = || MinPlus::new(common::edgy(&mut rng));
        laws!(MinPlus, draw(), draw(), draw());
    }
    let near = MinPlus::new(u64::MAX - 1);
    assert_eq!(near.then(MinPlus::ONE), near);
    assert_eq!(near.then(MinPlus::new(1)), MinPlus::ZERO);
    assert_eq!(near.then(near), MinPlus::ZERO);
    assert_eq!(MinPlus::ZERO.then(MinPlus::new(5)), MinPlus::ZERO);
    assert_eq!(MinPlus::ZERO.to_string(), "∞");
}

#[test]
fn val_22_laws_of_max_plus() {
    let values: Vec<_> = EDGES
        .map(MaxPlus::new)
        .into_iter()
        .chain([MaxPlus::ZERO])
        .collect();
    for &a in &values {
        for &b in &values {
            for &c in &values {
                laws!(MaxPlus, a, b, c);
            }
        }
    }
    let mut rng = rng(220);
    for _ in 0..CASES {
        let mut draw = || match rng.below(8) {
            0 => MaxPlus::ZERO,
            _ => MaxPlus::new(common::edgy(&mut rng)),
        };
        laws!(MaxPlus, draw(), draw(), draw());
    }
    let most = MaxPlus::new(u64::MAX);
    assert_eq!(MaxPlus::new(u64::MAX - 1).then(MaxPlus::new(2)), most);
    assert_eq!(most.then(MaxPlus::ZERO), MaxPlus::ZERO);
    assert!(MaxPlus::ZERO < MaxPlus::ONE);
    assert_eq!(MaxPlus::ZERO.to_string(), "−∞");
}

/// Edges of a random graph without cycles; nodes are numbered in no particular order.
fn random_edges(rng: &mut Rng, nodes: usize) -> Vec<(usize, usize, u64)> {
    let mut name: Vec<_> = (0..nodes).collect();
    shuffle(rng, &mut name);
    let density = 1 + rng.below(8);
    let huge = rng.below(8) == 0;
    let mut edges = Vec::new();
    for to in 1..nodes {
        for from in 0..to {
            // Now and then two edges join the same nodes.
            while rng.below(16) < density {
                let cost = if huge {
                    common::edgy(rng)
                } else {
                    rng.below(1000)
                };
                edges.push((name[from], name[to], cost));
            }
        }
    }
    shuffle(rng, &mut edges);
    edges
}

/// Floyd-Warshall: the best path between all pairs, by `better`, or `None` without a path.
fn all_pairs(
    nodes: usize,
    edges: &[(usize, usize, u64)],
    better: fn(u64, u64) -> u64,
) -> Vec<Vec<Option<u64>>> {
    let pick = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(better(a, b)),
        (a, b) => a.or(b),
    };
    let mut best = vec![vec![None; nodes]; nodes];
    for &(from, to, cost) in edges {
        best[from][to] = pick(best[from][to], Some(cost));
    }
    for (node, row) in best.iter_mut().enumerate() {
        row[node] = Some(0);
    }
    for via in 0..nodes {
        let second = best[via].clone();
        for row in &mut best {
            let Some(first) = row[via] else { continue };
            for (cell, second) in row.iter_mut().zip(&second) {
                *cell = pick(*cell, second.map(|second| first.saturating_add(second)));
            }
        }
    }
    best
}

#[test]
fn val_23_bounds_against_floyd_warshall() {
    let mut rng = rng(23);
    let mut largest = 0;
    for _ in 0..1000 {
        let nodes = 1 + rng.below(64) as usize;
        largest = largest.max(nodes);
        let edges = random_edges(&mut rng, nodes);
        let mut dag = Dag::new(nodes);
        for &(from, to, cost) in &edges {
            dag.edge(from, to, cost).expect("both nodes are there");
        }
        let bounds = dag.bounds().expect("no cycle");
        let least = all_pairs(nodes, &edges, u64::min);
        let most = all_pairs(nodes, &edges, u64::max);
        let root = |node: &usize| edges.iter().all(|&(_, to, _)| to != *node);
        let leaf = |node: &usize| edges.iter().all(|&(from, _, _)| from != *node);
        let roots: Vec<_> = (0..nodes).filter(root).collect();
        let leaves: Vec<_> = (0..nodes).filter(leaf).collect();
        for node in 0..nodes {
            let cheapest = roots.iter().filter_map(|&root| least[root][node]).min();
            assert_eq!(Some(bounds.cheapest(node).get()), cheapest);
            let costliest = roots.iter().filter_map(|&root| most[root][node]).max();
            assert_eq!(bounds.costliest(node).get(), costliest);
            let remaining = leaves.iter().filter_map(|&leaf| most[node][leaf]).max();
            assert_eq!(bounds.remaining(node).get(), remaining);
        }
        let critical = most.iter().flatten().flatten().max().copied();
        assert_eq!(bounds.critical().get(), critical);
    }
    assert_eq!(largest, 64);
}

#[test]
fn val_23_a_cycle_is_refused() {
    let mut rng = rng(230);
    for _ in 0..200 {
        let nodes = 2 + rng.below(30) as usize;
        let edges = random_edges(&mut rng, nodes);
        let Some(&(from, to, _)) = edges.first() else {
            continue;
        };
        let mut dag = Dag::new(nodes);
        for &(from, to, cost) in &edges {
            dag.edge(from, to, cost).expect("both nodes are there");
        }
        dag.edge(to, from, 1).expect("both nodes are there");
        let error = dag.bounds().expect_err("there and back");
        assert_eq!(error.kind(), Status::CYCLE);
        let words: Vec<_> = error.message().split(' ').collect();
        let named: usize = words[1].parse().expect("the number of a node");
        // The named node reaches itself.
        let mut all = edges.clone();
        all.push((to, from, 1));
        let reaches = all_pairs(nodes, &all, u64::min);
        let back = all
            .iter()
            .any(|&(a, b, _)| a == named && reaches[b][named].is_some());
        assert!(back, "{error}");
    }
    let mut dag = Dag::new(1);
    assert_eq!(dag.edge(0, 0, 1).map_err(|e| e.kind()), Err(Status::CYCLE));
    assert_eq!(
        dag.edge(0, 1, 1).map_err(|e| e.kind()),
        Err(Status::BAD_ARGUMENT)
    );
    assert_eq!(
        Dag::new(0).bounds().expect("no cycle").critical(),
        MaxPlus::ZERO
    );
}

#[test]
fn val_24_slack_of_a_chain_of_three() {
    let mut chain = Dag::new(4);
    for (node, cost) in [100, 20, 3].into_iter().enumerate() {
        chain
            .edge(node, node + 1, cost)
            .expect("both nodes are there");
    }
    let bounds = chain.bounds().expect("no cycle");
    let (now, deadline) = (Time::from_nanos(1000), Time::from_nanos(1100));
    let slack: Vec<_> = (0..4)
        .map(|node| bounds.slack(node, deadline, now))
        .collect();
    assert_eq!(
        slack,
        [-23, 77, 97, 100],
        "what is lost is not clamped to zero"
    );
    assert_eq!(bounds.slack(3, Time::ZERO, now), -1000);
    assert_eq!(bounds.slack(0, Time::MAX, now), i64::MAX);
    assert_eq!(bounds.slack(9, deadline, now), i64::MAX, "no such node");
    let mut long = Dag::new(2);
    long.edge(0, 1, u64::MAX).expect("both nodes are there");
    let bounds = long.bounds().expect("no cycle");
    let late = Time::ZERO + Duration::MAX;
    assert_eq!(bounds.slack(0, Time::ZERO, late), i64::MIN);
    assert_eq!(
        bounds.slack(1, Time::from_nanos(u64::MAX - 1), Time::ZERO),
        i64::MAX
    );
}
