#!/usr/bin/env bash
# Runs the scripts in this folder, each in an empty temporary folder, one after the other.
# Without arguments it runs all of them; with names (with or without .sh) only those.
# Prints one line per script: name, ok or changed, seconds. What a changed script printed follows
# its line. Exits 1 when a script has changed, 2 when a name is unknown.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ $# -gt 0 ]; then
  scripts=()
  for name in "$@"; do
    name=$(basename "$name" .sh)
    if [ "$name" = run ] || [ ! -f "$here/$name.sh" ]; then
      echo "No finding is named '$name'. Names are in findings/README.md." >&2
      exit 2
    fi
    scripts+=("$here/$name.sh")
  done
else
  scripts=("$here"/*.sh)
fi

changed=0
for script in "${scripts[@]}"; do
  name=$(basename "$script" .sh)
  [ "$name" = run ] && continue
  folder=$(mktemp -d)
  started=$SECONDS
  if output=$(cd "$folder" && bash "$script" 2>&1); then
    verdict=ok
  else
    verdict=changed
    changed=1
  fi
  rm -rf "$folder"
  printf '%-52s %-8s %4d s\n' "$name" "$verdict" $((SECONDS - started))
  if [ "$verdict" = changed ]; then
    printf '%s\n' "$output" | sed 's/^/    /'
  fi
done
exit "$changed"
