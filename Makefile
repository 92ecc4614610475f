# Carterfone's front door. GNU make and a Debian 12 are all it assumes; `make setup-*` install the rest.
#   make run        install what is needed, build, start the server with the simulated carrier
#   make test       install, build, run every test
#   make build      build/carterfone, optimised        make unit     unit tests alone
#   make check      format, lint, layers, sanitizers   make fuzz T=  one fuzz target
#   make test-sdks  the Python and Java SDKs           make bench T= one measurement
# FLAVOUR picks another build beside it: release (default), debug, asan, tsan, fuzz (clang).

FLAVOUR ?= release
B       := build/$(FLAVOUR)
GEN     := build/gen
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef \
           -Wimplicit-fallthrough -Wvla -Wno-missing-field-initializers -Woverride-init -Wswitch
CFLAGS_ := -std=c17 -D_GNU_SOURCE -pthread -Isrc -I$(GEN) $(WARN) -MMD -MP -g -fno-omit-frame-pointer
HARDEN  := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection
LD_     := -pthread

ifeq ($(FLAVOUR),release)
CFLAGS_ += -O2 $(HARDEN)
LD_     += -pie -Wl,-z,relro,-z,now
else ifeq ($(FLAVOUR),debug)
CFLAGS_ += -O0
else ifeq ($(FLAVOUR),asan)
CFLAGS_ += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LD_     += -fsanitize=address,undefined
else ifeq ($(FLAVOUR),tsan)
CFLAGS_ += -O1 -fsanitize=thread
LD_     += -fsanitize=thread
else ifeq ($(FLAVOUR),fuzz)
CC      := clang
CFLAGS_ += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wno-initializer-overrides -Wno-gnu-alignof-expression
LD_     += -fsanitize=address,undefined
else
$(error FLAVOUR is release, debug, asan, tsan or fuzz)
endif

# third-party headers that our warnings must not judge come by -isystem
PKGS    := libmicrohttpd gnutls libcurl libuv sofia-sip-ua spandsp sndfile openssl sqlite3 jansson
ifneq ($(shell command -v pkg-config),)
CFLAGS_ += $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lyaml -lm
endif

SRC     := $(sort $(shell find src -name '*.c'))
MAIN    := src/main/main.c
LIB_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out $(MAIN),$(SRC)))
UNIT    := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_BIN:= $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT))
REPLAY  := $(sort $(shell find tests/replay -name 'test_*.c' 2>/dev/null))
REPLAY_BIN := $(patsubst tests/replay/%.c,$(B)/replay/%,$(REPLAY))
FUZZ    := $(sort $(shell find tests/fuzz -name 'fuzz_*.c' 2>/dev/null))

.DEFAULT_GOAL := build
.PHONY: build all unit layers clean gen run test test-build test-sdks check fuzz fuzz-build bench install docs
build: $(B)/carterfone
	@ln -sfn $(FLAVOUR)/carterfone build/carterfone

# -- generated tables: tools/*.awk and tools/*.c read data/ and src/, and print build/gen/* --------------------------
include tools/gen.mk
gen: $(GENERATED)

$(B)/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -c $< -o $@

# every object but main, so that unit tests link what they need
$(B)/libcarterfone.a: $(LIB_OBJ)
	@rm -f $@ && ar rcs $@ $^

$(B)/carterfone: $(patsubst %.c,$(B)/%.o,$(wildcard src/main/*.c)) $(B)/libcarterfone.a
	@echo "  ld $@"
	@$(CC) $(LD_) -o $@ $^ $(LIBS)

# -- unit tests -------------------------------------------------------------------------------------------------------
# a test that needs one library more, say a foreign codec to compare with: LIBS_<test> := -l...
LIBS_test_smpp_libsmpp34 := -lsmpp34
# a test named *_alloc makes our allocations fail, one after another (tests/unit/alloc.h)
$(B)/unit/%_alloc: LD_ += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
# ... and one named *_random decides itself when a unit reaches the store (tests/unit/domain/numbers/disk.h)
$(B)/unit/%_random: LD_ += -Wl,--wrap=db_post
$(B)/unit/%: tests/unit/%.c $(B)/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -Itests $< -o $@ $(LD_) $(B)/libcarterfone.a $(LIBS) $(LIBS_$(notdir $*)) -lcmocka

$(B)/replay/%: tests/replay/%.c $(B)/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -Itests $< -o $@ $(LD_) $(B)/libcarterfone.a $(LIBS) -lcmocka

# our SIP stack alone, for SIPp to talk to (tests/sip)
$(B)/sip/%: tests/sip/%.c $(B)/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) $< -o $@ $(LD_) $(B)/libcarterfone.a $(LIBS)

# our two ends of SMPP alone, for foreign peers (tests/smpp)
LIBS_strict34 := -lsmpp34
$(B)/smpp/%: tests/smpp/%.c $(B)/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) $< -o $@ $(LD_) $(B)/libcarterfone.a $(LIBS) $(LIBS_$*)

# a disk that fails when told to, for a server to be started on (tests/faults)
$(B)/faults/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) -std=c17 -O1 -g $(WARN) -shared -fPIC -pthread $< -o $@

unit: $(UNIT_BIN)
	@set -e; for t in $(UNIT_BIN); do echo "unit $$t"; $$t; done

# was this sound in that recording? (end-to-end tests)
build/correlate: tools/correlate.c tests/hear.h $(B)/libcarterfone.a
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -Itests $< -o $@ $(LD_) $(B)/libcarterfone.a $(LIBS)

# -- fuzz targets: make fuzz T=smpp [SECONDS_EACH=10]; without T every target in turn -------------------------------------
SECONDS_EACH ?= 10
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@clang $(CFLAGS_) -fsanitize=fuzzer $< -o $@ $(LD_) build/fuzz/libcarterfone.a $(LIBS)

fuzz-build: $(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ))

fuzz:
	@$(MAKE) --no-print-directory $(JOBS) FLAVOUR=fuzz $(if $(T),build/fuzz/fuzz_$(T),fuzz-build)
	@set -e; for t in $(if $(T),build/fuzz/fuzz_$(T),$(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ))); do \
	    corpus=tests/fuzz/corpus/$${t##*/fuzz_}; mkdir -p build/fuzz/corpus/$${t##*/}; echo "fuzz $$t"; \
	    $$t -max_total_time=$(SECONDS_EACH) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix=build/fuzz/ \
	        build/fuzz/corpus/$${t##*/} $$([ -d $$corpus ] && echo $$corpus); done

# -- the front door -----------------------------------------------------------------------------------------------------
# The set-up may install what the lines above ask pkg-config about, so what follows it is another make.
JOBS   := -j$(shell nproc)
PREFIX ?= /usr/local
RUN    ?=

run:
	@sh tools/setup.sh run
	@$(MAKE) --no-print-directory $(JOBS) build
	@exec build/carterfone serve $(RUN)

test:
	@sh tools/setup.sh test
	@$(MAKE) --no-print-directory $(JOBS) layers build
	@$(MAKE) --no-print-directory $(JOBS) FLAVOUR=asan test-build
	@$(MAKE) --no-print-directory $(JOBS) FLAVOUR=fuzz fuzz-build
	@sh tools/test-run.sh $(T)

test-build: build/correlate $(B)/carterfone $(UNIT_BIN) $(REPLAY_BIN) $(B)/sip/sip_peer $(B)/smpp/smpp_peer $(B)/smpp/strict34 $(B)/faults/disk.so

test-sdks:
	@sh tools/setup.sh sdks
	@$(MAKE) --no-print-directory $(JOBS) build
	@sh tests/sdks/run.sh

# layers, shape, lint, and the unit tests under the sanitizers; DEEP=deep asks the static analyser too
check:
	@sh tools/setup.sh check
	@$(MAKE) --no-print-directory $(JOBS) gen layers
	@sh tools/check.sh $(DEEP)
	@$(MAKE) --no-print-directory $(JOBS) FLAVOUR=asan unit

# make bench T=start runs bench/start.sh or bench/start.c; without T it says which there are
build/release/bench/%: bench/%.c build/release/libcarterfone.a
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CFLAGS_) $(CFLAGS) -Ibench -Itests $< -o $@ $(LD_) build/release/libcarterfone.a $(LIBS)

bench:
ifeq ($(T),)
	@ls bench/*.sh bench/*.c 2>/dev/null | sed "s|bench/\(.*\)\.[a-z]*|make bench T=\1|"
else ifneq ($(wildcard bench/$(T).c),)
	@$(MAKE) --no-print-directory $(JOBS) FLAVOUR=release build build/release/bench/$(T)
	@build/release/bench/$(T) build/release/bench
else
	@$(MAKE) --no-print-directory $(JOBS) build && sh bench/$(T).sh
endif

install: build
	install -D -m 755 build/carterfone $(DESTDIR)$(PREFIX)/bin/carterfone
	install -D -m 644 docs/man/carterfone.1 $(DESTDIR)$(PREFIX)/share/man/man1/carterfone.1
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/carterfone/LICENSE

# what the program says of itself: the route table as docs/conformance.md
docs: build
	@build/carterfone routes >build/conformance.md && cp build/conformance.md docs/conformance.md

clean:
	rm -rf build

layers:
	@sh tools/layers.sh

-include $(shell find build -name '*.d' 2>/dev/null)
