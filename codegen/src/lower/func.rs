//! One function: its locals as variables of Cranelift's frontend, its blocks in reverse postorder.

use cranelift_codegen::ir::{self, FuncRef, InstBuilder, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use cranelift_module::{DataId, FuncId, Linkage, Module};

use super::coroutine::Coroutine;
use super::define::Scratch;
use super::stubs::Stub;
use super::types::{self, Shape};
use super::unit::{Imports, Unit};
use crate::Error;
use crate::air::{self, BlockId, Function, LocalId, Operand, Type, kinds_of, kinds_of_term};

/// State of the lowering of one function.
pub(super) struct Lower<'u, 'a, 'b> {
    pub(super) unit: &'u mut Unit<'a>,
    pub(super) module: &'u mut dyn Module,
    pub(super) b: FunctionBuilder<'b>,
    pub(super) air: &'a Function,
    pub(super) shape: Shape,
    pub(super) th: Value,
    pub(super) blocks: Vec<ir::Block>,
    slots: Vec<ir::StackSlot>,
    pub(super) vars: Vec<Variable>,
    imports: Imports,
    /// Index of the first site of each block.
    first_sites: Vec<u32>,
    /// Index of the next site.
    pub(super) site: u32,
    /// The instruction that is lowered.
    here: (BlockId, usize),
    /// Of an asynchronous function.
    pub(super) coroutine: Option<Coroutine>,
    /// `(value, status)`: leaves the function with a failure.
    pub(super) leave: Option<ir::Block>,
    /// `(value, status, site index)`: notes the site and leaves.
    pub(super) leave_traced: Option<ir::Block>,
    /// `(site index, code)`: faults and leaves.
    pub(super) leave_fault: Option<ir::Block>,
    locs: &'u mut Vec<air::Loc>,
}

/// Builds the CLIF of a function in `scratch`, whose name and signature are set; `locs` receives
/// the locations that its source marks refer to.
pub(super) fn build<'a>(
    unit: &mut Unit<'a>,
    module: &mut dyn Module,
    id: air::FuncId,
    scratch: &mut Scratch,
    locs: &mut Vec<air::Loc>,
) -> Result<(), Error> {
    let air = &unit.air.funcs[id.index()];
    let shape = unit.facts.shape(id);
    let mut b = FunctionBuilder::new(&mut scratch.cx.func, &mut scratch.builder);
    let order = super::reverse_postorder(air);
    if order.is_empty() {
        return Err(Error::Invalid(format!("function `{}` is empty", air.name)));
    }

    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let plan = unit.frames[id.index()].clone();
    let th = b.block_params(entry)[usize::from(plan.is_some())];
    let vars: Vec<Variable> = air
        .locals
        .iter()
        .map(|local| b.declare_var(types::clif(local.ty)))
        .collect();
    if plan.is_none() {
        for (i, &var) in vars.iter().enumerate().take(air.params as usize) {
            let param = b.block_params(entry)[i + 1];
            b.def_var(var, param);
        }
    }
    // An asynchronous function has them in its frame.
    let native = air.slots.iter().filter(|_| plan.is_none());
    let slots = native.map(|slot| {
        let align = slot.align.max(1).trailing_zeros() as u8;
        let kind = ir::StackSlotKind::ExplicitSlot;
        b.create_sized_stack_slot(ir::StackSlotData::new(kind, slot.size, align))
    });
    let slots = slots.collect();
    // Nothing jumps to the entry block of AIR, so it goes on in the one with the parameters.
    let blocks = air.blocks.iter().enumerate().map(|(index, block)| {
        if index == 0 {
            return entry;
        }
        let made = b.create_block();
        if block.cold {
            b.set_cold_block(made);
        }
        made
    });
    let blocks: Vec<ir::Block> = blocks.collect();

    let mut lower = Lower {
        first_sites: first_sites(air, unit.first_site[id.index()]),
        unit,
        module,
        b,
        air,
        shape,
        th,
        blocks,
        slots,
        vars,
        imports: Imports::default(),
        site: 0,
        here: (BlockId(0), 0),
        coroutine: None,
        leave: None,
        leave_traced: None,
        leave_fault: None,
        locs,
    };
    if let Some(plan) = plan {
        let frame = lower.b.block_params(entry)[0];
        lower.begin_poll(plan, frame);
    }
    lower.blocks_in_order(&order)?;
    lower.b.set_srcloc(Default::default());
    lower.pause_blocks()?;
    lower.shared_blocks()?;
    lower.b.seal_all_blocks();
    let config = lower.module.target_config();
    lower.b.finalize(config);
    Ok(())
}

/// The index of the first site of each block.
fn first_sites(air: &Function, mut next: u32) -> Vec<u32> {
    let mut out = Vec::with_capacity(air.blocks.len());
    let count = |kinds: air::Kinds| kinds.iter().flatten().count() as u32;
    for block in &air.blocks {
        out.push(next);
        next += block
            .insts
            .iter()
            .map(|inst| count(kinds_of(&inst.op)))
            .sum::<u32>();
        next += count(kinds_of_term(&block.term));
    }
    out
}

impl<'a> Lower<'_, 'a, '_> {
    /// Lowers the blocks; each is sealed when the last block before it is done.
    fn blocks_in_order(&mut self, order: &[BlockId]) -> Result<(), Error> {
        let air = self.air;
        let mut before = vec![0u32; air.blocks.len()];
        let successors: Vec<Vec<BlockId>> = order
            .iter()
            .map(|block| {
                let mut list = Vec::new();
                air.blocks[block.index()].for_each_successor(|to| list.push(to));
                list.sort();
                list.dedup();
                list
            })
            .collect();
        for to in successors.iter().flatten() {
            before[to.index()] += 1;
        }
        if before[0] != 0 {
            let name = &air.name;
            return Err(Error::Invalid(format!("`{name}` jumps to its entry")));
        }
        for (&id, successors) in order.iter().zip(&successors) {
            let block = &air.blocks[id.index()];
            let made = self.blocks[id.index()];
            if id.index() != 0 {
                self.b.switch_to_block(made);
            }
            self.site = self.first_sites[id.index()];
            for (n, inst) in block.insts.iter().enumerate() {
                self.locate(inst.loc);
                self.here = (id, n);
                self.inst(inst)?;
            }
            self.locate(block.term_loc);
            self.term(&block.term)?;
            for to in successors {
                before[to.index()] -= 1;
                if before[to.index()] == 0 {
                    self.b.seal_block(self.blocks[to.index()]);
                }
            }
        }
        Ok(())
    }

    /// Marks what follows as coming from `loc`.
    fn locate(&mut self, loc: air::Loc) {
        if !loc.is_some() {
            return;
        }
        if self.locs.last() != Some(&loc) {
            self.locs.push(loc);
        }
        let index = self.locs.len() as u32 - 1;
        self.b.set_srcloc(ir::SourceLoc::new(index));
    }

    /// The value of an operand of this type.
    pub(super) fn operand(&mut self, operand: Operand, ty: Type) -> Value {
        match operand {
            Operand::Local(local) => self.b.use_var(self.vars[local.index()]),
            Operand::Imm(bits) => types::immediate(&mut self.b, ty, bits),
        }
    }

    /// The type of a local.
    pub(super) fn type_of(&self, local: LocalId) -> Type {
        self.air.locals[local.index()].ty
    }

    /// Assigns a local.
    pub(super) fn define(&mut self, local: LocalId, value: Value) {
        self.b.def_var(self.vars[local.index()], value);
    }

    /// The thread and then these arguments.
    pub(super) fn with_thread(&mut self, args: &[Operand], types: &[Type]) -> Vec<Value> {
        let mut out = Vec::with_capacity(args.len() + 1);
        out.push(self.th);
        out.extend(
            args.iter()
                .zip(types)
                .map(|(&arg, &ty)| self.operand(arg, ty)),
        );
        out
    }

    /// A reference to a declared function.
    pub(super) fn import(&mut self, id: FuncId) -> FuncRef {
        self.imports.get(self.module, id, self.b.func)
    }

    /// A reference to a stub.
    pub(super) fn stub(&mut self, stub: Stub) -> Result<FuncRef, Error> {
        let id = self.unit.stubs.get(stub, self.module)?;
        Ok(self.import(id))
    }

    /// The address of a data object.
    pub(super) fn data_address(&mut self, id: DataId) -> Value {
        let global = self.module.declare_data_in_func(id, self.b.func);
        self.b.ins().symbol_value(ir::types::I64, global)
    }

    /// The suspend point of the instruction that is lowered, if it may suspend.
    pub(super) fn point(&mut self) -> Result<Option<usize>, Error> {
        let (block, inst) = self.here;
        Ok(self.coroutine()?.plan.point(block, inst))
    }

    /// A reference to a function of the runtime.
    pub(super) fn declare_runtime(
        &mut self,
        symbol: &str,
        signature: &ir::Signature,
    ) -> Result<FuncRef, Error> {
        let id = self
            .module
            .declare_function(symbol, Linkage::Import, signature)?;
        Ok(self.import(id))
    }

    /// The results of a function of the runtime that takes the thread and these words.
    pub(super) fn call_runtime(
        &mut self,
        symbol: &str,
        args: &[Value],
        results: usize,
    ) -> Result<Vec<Value>, Error> {
        let mut signature = ir::Signature::new(CallConv::SystemV);
        let word = ir::AbiParam::new(ir::types::I64);
        signature.params = vec![word; args.len() + 1];
        signature.returns = vec![word; results];
        let func = self.declare_runtime(symbol, &signature)?;
        let mut all = vec![self.th];
        all.extend_from_slice(args);
        let call = self.b.ins().call(func, &all);
        Ok(self.b.inst_results(call).to_vec())
    }

    /// The address of a slot.
    pub(super) fn slot_address(&mut self, slot: air::SlotId) -> Value {
        if let Some(coroutine) = &self.coroutine {
            let (frame, offset) = coroutine.slot(slot);
            return self.b.ins().iadd_imm_s(frame, offset);
        }
        let slot = self.slots[slot.index()];
        self.b.ins().stack_addr(ir::types::I64, slot, 0)
    }

    /// A new block that is unlikely to run.
    pub(super) fn cold_block(&mut self) -> ir::Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// Goes on in a block whose predecessors are all known.
    pub(super) fn go_on_in(&mut self, block: ir::Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// The site id of the next site, and counts it.
    pub(super) fn next_site(&mut self) -> u32 {
        let site = self.site;
        self.site += 1;
        site
    }

    /// The full id of a site as a value.
    pub(super) fn site_value(&mut self, index: u32) -> Value {
        let id = air::site_id(self.unit.air.unit, index);
        self.b.ins().iconst(ir::types::I64, id as i64)
    }
}
