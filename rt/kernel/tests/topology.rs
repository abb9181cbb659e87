//! Where processors, cores and nodes are, from each source; the order in which workers are robbed.
#![cfg(not(loom))]

use std::fs;
use std::path::{Path, PathBuf};

use asr_base::Status;
use asr_kernel::topology::{Cpu, Placement, Topology};

fn synthetic(text: &str) -> Topology {
    Topology::synthetic(text).expect(text)
}

#[test]
fn a_text_describes_a_machine() {
    let two = synthetic("node:2 core:2 pu:2");
    let cpu = |id, core, node| Cpu { id, core, node };
    let expected = [
        cpu(0, 0, 0),
        cpu(1, 0, 0),
        cpu(2, 1, 0),
        cpu(3, 1, 0),
        cpu(4, 2, 1),
        cpu(5, 2, 1),
        cpu(6, 3, 1),
        cpu(7, 3, 1),
    ];
    assert_eq!(two.cpus(), expected);
    assert_eq!(
        (two.nodes(), two.distance(0, 0), two.distance(1, 0)),
        (2, 10, 20)
    );
    assert_eq!(synthetic(""), Topology::uniform(1));
    assert_eq!(synthetic("core:4"), Topology::uniform(4));
}

#[test]
fn a_wrong_text_names_the_word() {
    for (text, word) in [
        ("node:2 socket:1", "`socket:1` names no level"),
        ("core", "`core` has no count"),
        ("pu:0", "`pu:0` needs a count"),
        ("core:two", "`core:two` needs a count"),
        ("pu:2 core:2", "`core:2` comes too late"),
        ("core:2 core:2", "`core:2` comes too late"),
        ("node:4096 core:4096", "more than 65536"),
    ] {
        let error = Topology::synthetic(text).expect_err(text);
        assert_eq!(error.kind(), Status::BAD_ARGUMENT);
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// A folder of files, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file in a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TWO_NODES: &[(&str, &str)] = &[
    ("cpu/online", "0-2,5\n"),
    ("cpu/cpu0/topology/core_cpus_list", "0,2\n"),
    ("cpu/cpu1/topology/core_cpus_list", "1\n"),
    ("cpu/cpu2/topology/core_cpus_list", "0,2\n"),
    ("node/online", "0,2-3\n"),
    ("node/node0/cpulist", "0,2\n"),
    ("node/node0/distance", "10 21 31\n"),
    ("node/node2/cpulist", "1,5\n"),
    ("node/node2/distance", "21 10 25\n"),
    ("node/node3/cpulist", "\n"),
    ("node/node3/distance", "31 25 10\n"),
];

#[test]
fn the_files_of_the_system_are_read() {
    let folder = Folder::new("sysfs_two_nodes", TWO_NODES);
    let found = Topology::sysfs(&folder.0).expect("read");
    let cpus: Vec<_> = found
        .cpus()
        .iter()
        .map(|cpu| (cpu.id, cpu.core, cpu.node))
        .collect();
    // Node 3 has memory only, and node 2 is the second with processors.
    assert_eq!(cpus, [(0, 0, 0), (1, 1, 1), (2, 0, 0), (5, 2, 1)]);
    assert_eq!((found.nodes(), found.distance(0, 1)), (2, 21));
}

#[test]
fn a_machine_without_nodes_has_one() {
    let folder = Folder::new("sysfs_no_nodes", &[("cpu/online", "0-1\n")]);
    assert_eq!(
        Topology::sysfs(&folder.0).expect("read"),
        Topology::uniform(2)
    );
}

#[test]
fn files_that_say_nonsense_are_named() {
    let none = Topology::sysfs(Path::new("/nowhere")).expect_err("nothing there");
    assert_eq!(none.kind(), Status::IO);
    assert!(none.to_string().contains("/nowhere/cpu/online"), "{none}");
    for text in ["a-b\n", "3-1\n", "0-99999999\n", "\n"] {
        let folder = Folder::new("sysfs_nonsense", &[("cpu/online", text)]);
        let error = Topology::sysfs(&folder.0).expect_err(text);
        assert_eq!(error.kind(), Status::BAD_ARGUMENT, "{text:?}");
    }
    // Distances are advice: nonsense in them is passed over.
    let mut files = TWO_NODES.to_vec();
    files[6] = ("node/node0/distance", "10 7 many\n");
    let folder = Folder::new("sysfs_distances", &files);
    assert_eq!(Topology::sysfs(&folder.0).expect("read").distance(0, 1), 20);
}

#[test]
fn this_machine_has_a_processor() {
    let here = Topology::system();
    assert!(!here.cpus().is_empty() && here.nodes() > 0);
    assert!(here.cpus().iter().all(|cpu| cpu.node < here.nodes()));
}

#[cfg(feature = "hwloc")]
#[test]
fn hwloc_and_the_system_agree() {
    // Both without a description in the environment; the order of cores may differ.
    let (library, files) = (
        Topology::hwloc().expect("hwloc"),
        Topology::sysfs(Path::new("/sys/devices/system")).expect("sysfs"),
    );
    let ids = |topology: &Topology| -> Vec<_> {
        topology
            .cpus()
            .iter()
            .map(|cpu| (cpu.id, cpu.node))
            .collect()
    };
    assert_eq!(ids(&library), ids(&files));
}

#[test]
fn workers_are_spread_over_nodes_and_cores_before_threads() {
    let placed = Placement::new(&synthetic("node:2 core:2 pu:2"), 10);
    let cpus: Vec<_> = (0..10).map(|worker| placed.cpu(worker)).collect();
    assert_eq!(cpus, [0, 4, 2, 6, 1, 5, 3, 7, 0, 4]);
    let nodes: Vec<_> = (0..10).map(|worker| placed.node(worker)).collect();
    assert_eq!(nodes, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
}

#[test]
fn sch_18_victims_of_the_own_node_first_then_by_distance() {
    let placed = Placement::new(&synthetic("node:2 core:4"), 8);
    let victims = |worker, turn| placed.victims(worker, turn).collect::<Vec<_>>();
    assert_eq!(victims(0, 0), [2, 4, 6, 1, 3, 5, 7]);
    // The start is rotated in each group.
    assert_eq!(victims(0, 2), [4, 6, 2, 5, 7, 1, 3]);
    assert_eq!(victims(3, 5), [5, 7, 1, 2, 4, 6, 0]);
    for worker in 0..8 {
        for turn in 0..20 {
            let mut all = victims(worker, turn);
            let near = all.iter().take(3);
            assert!(
                near.into_iter()
                    .all(|other| placed.node(*other) == placed.node(worker))
            );
            all.push(worker);
            all.sort_unstable();
            assert_eq!(all, (0..8).collect::<Vec<_>>());
        }
    }
    let alone = Placement::new(&Topology::uniform(1), 1);
    assert_eq!(alone.victims(0, 3).count(), 0);
    // Three nodes, the third is far from the first and near to the second.
    let mut files = TWO_NODES.to_vec();
    files[0] = ("cpu/online", "0-2,5,7\n");
    files[9] = ("node/node3/cpulist", "7\n");
    let folder = Folder::new("sysfs_three_nodes", &files);
    let placed = Placement::new(&Topology::sysfs(&folder.0).expect("read"), 3);
    let nodes = |worker| placed.victims(worker, 0).map(|other| placed.node(other));
    assert_eq!(nodes(0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(nodes(1).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(nodes(2).collect::<Vec<_>>(), [1, 0]);
}
