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
# phone numbers: country codes, area codes, prices, what may be acquired; and the rules that refuse
GENERATED += $(GEN)/codec/e164/npa.inc $(GEN)/codec/e164/codes.inc $(GEN)/domain/rules.inc \
             $(GEN)/domain/rate_groups.inc $(GEN)/domain/rate_prefixes.inc \
             $(GEN)/domain/catalogue_rows.inc $(GEN)/domain/catalogue_countries.inc \
             $(GEN)/domain/catalogue_usage.inc $(GEN)/domain/country_names.inc
RATES     := data/rates/pstn.csv data/rates/pstn_overlay.csv
CATALOGUE := $(sort $(wildcard data/catalogue/*/*.csv))

$(GEN)/codec/e164/npa.inc: data/nanp/npa.csv tools/nanpgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v which=npa -f tools/csv.awk -f tools/nanpgen.awk $< > $@.new && mv $@.new $@
$(GEN)/codec/e164/codes.inc: data/e164/country_codes.csv tools/nanpgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v which=codes -f tools/csv.awk -f tools/nanpgen.awk $< > $@.new && mv $@.new $@
$(GEN)/domain/rules.inc: data/rules.csv tools/rulesgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -f tools/csv.awk -f tools/rulesgen.awk $< > $@.new && mv $@.new $@
$(GEN)/domain/rate_groups.inc: $(RATES) tools/ratesgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v which=groups -f tools/csv.awk -f tools/ratesgen.awk $(RATES) > $@.new && mv $@.new $@
$(GEN)/domain/rate_prefixes.inc: $(RATES) tools/ratesgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v which=prefixes -f tools/csv.awk -f tools/ratesgen.awk $(RATES) > $@.pairs
	@sort -n -k1,1 $@.pairs | awk -v which=rows -f tools/csv.awk -f tools/ratesgen.awk > $@.new && mv $@.new $@
$(GEN)/domain/catalogue_rows.inc: $(CATALOGUE) tools/cataloguegen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v what=rows -f tools/csv.awk -f tools/cataloguegen.awk $(filter %/availability.csv,$(CATALOGUE)) > $@.new && mv $@.new $@
$(GEN)/domain/catalogue_countries.inc: $(CATALOGUE) tools/cataloguegen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v what=countries -f tools/csv.awk -f tools/cataloguegen.awk $(filter %/countries.csv,$(CATALOGUE)) > $@.new && mv $@.new $@
$(GEN)/domain/catalogue_usage.inc: $(CATALOGUE) tools/cataloguegen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v what=usage -f tools/csv.awk -f tools/cataloguegen.awk $(filter %/usage.csv,$(CATALOGUE)) > $@.new && mv $@.new $@
$(GEN)/domain/country_names.inc: data/countries/names.csv tools/countriesgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -f tools/csv.awk -f tools/countriesgen.awk $< > $@.new && mv $@.new $@
# simulated numbers outside North America
GENERATED += $(GEN)/domain/sim_ranges.inc
$(GEN)/domain/sim_ranges.inc: data/sim/ranges.csv tools/simgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -f tools/csv.awk -f tools/simgen.awk $< > $@.new && mv $@.new $@
# what o'clock it is where a North American area code is
GENERATED += $(GEN)/codec/e164/zones.inc
$(GEN)/codec/e164/zones.inc: data/nanp/offsets.csv data/nanp/zones.csv tools/zonesgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -f tools/csv.awk -f tools/zonesgen.awk data/nanp/offsets.csv data/nanp/zones.csv > $@.new && mv $@.new $@
# guards over text messages that are known by name
GENERATED += $(GEN)/domain/sms_guards.inc
$(GEN)/domain/sms_guards.inc: data/sms_guards.csv tools/guardsgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -f tools/csv.awk -f tools/guardsgen.awk $< > $@.new && mv $@.new $@
# words that opt out, in, or ask for help; who answers them, and what
OPTOUT_INC := $(patsubst %,$(GEN)/domain/optout_%.inc,policies words texts)
GENERATED += $(OPTOUT_INC)
$(OPTOUT_INC): $(GEN)/domain/optout_%.inc: data/optout/%.csv tools/optoutgen.awk tools/csv.awk
	@mkdir -p $(@D)
	@awk -v which=$* -f tools/csv.awk -f tools/optoutgen.awk $< > $@.new && mv $@.new $@
