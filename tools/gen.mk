# What is generated, from what, by what. Nothing here is edited by hand or committed.
GENERATED := $(GEN)/store/statements.h $(GEN)/store/statements.inc

SQL := $(sort $(wildcard src/store/*.sql))
$(GEN)/store/statements.h $(GEN)/store/statements.inc &: tools/sqlgen.awk $(SQL)
	@mkdir -p $(GEN)/store
	@awk -v out=$(GEN)/store -f tools/sqlgen.awk $(SQL)
