# What is generated, from what, by what. Nothing here is edited by hand or committed.
GENERATED := $(GEN)/store/statements.h $(GEN)/store/statements.inc $(GEN)/store/migrations.inc
.DELETE_ON_ERROR:

# the folders are listed too: a file that went or was renamed must be noticed
SQL := $(sort $(wildcard src/store/*.sql))
$(GEN)/store/statements.h $(GEN)/store/statements.inc &: tools/sqlgen.awk $(SQL) src/store
	@mkdir -p $(GEN)/store
	@awk -v out=$(GEN)/store -f tools/sqlgen.awk $(SQL)

MIGRATIONS := $(sort $(wildcard src/store/migrations/*.sql))
$(GEN)/store/migrations.inc: tools/migrations.awk $(MIGRATIONS) src/store/migrations
	@mkdir -p $(GEN)/store
	@awk -f tools/migrations.awk $(MIGRATIONS) > $@.new && mv $@.new $@
