from routegen.cli import main

main()
